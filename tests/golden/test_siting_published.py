"""Siting against values that others published: the San Francisco instance of spopt's tests."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mission.siting.sites import Proof, SiteKind, best_sites, fewest_sites

INSTANCE = Path(__file__).with_name("siting_san_francisco.json")


@pytest.fixture(name="told")
def published_instance() -> dict[str, Any]:
    return dict(json.loads(INSTANCE.read_text()))


def seconds_of(told: dict[str, Any]) -> NDArray[np.float64]:
    """Return 1 where a store lies within the limit and inf elsewhere; shape (205, 16)."""
    bits = np.array(told["within_5000_m_bits"], np.int64)
    return np.where(bits[:, None] >> np.arange(told["site_count"]) & 1, 1.0, np.inf)


def test_four_stores_leave_as_many_tracts_uncovered_as_published(told: dict[str, Any]) -> None:
    seconds, people = seconds_of(told), np.array(told["people"], np.float64)
    assert seconds.shape == (205, 16)
    found = best_sites([SiteKind("store", seconds, 2.0, 4)], people)
    assert found.proof is Proof.OPTIMAL
    covered = np.isfinite(seconds[:, found.chosen[0]]).any(axis=1)
    assert (~covered).sum() == told["published"]["mclp_4_sites_uncovered_count"]
    assert 100.0 * covered.mean() == pytest.approx(told["published"]["mclp_4_sites_covered_pct"])
    assert found.covered_weight == people[covered].sum() == 875_247


def test_the_fewest_stores_back_up_as_many_tracts_as_published(told: dict[str, Any]) -> None:
    """The published model leaves the backup of a tract with one possible store free, and so counts it as backed up."""
    seconds = seconds_of(told)
    found = fewest_sites(SiteKind("store", seconds, 2.0, 0), np.ones(len(seconds)))
    assert found.proof is Proof.OPTIMAL
    assert len(found.chosen[0]) == 8
    assert found.covered_weight == 205
    with_one_store_only = np.isfinite(seconds).sum(axis=1) == 1
    counted_there = found.backup_weight + with_one_store_only.sum()
    assert 100.0 * counted_there / 205 == pytest.approx(told["published"]["lscpb_backup_pct"])
