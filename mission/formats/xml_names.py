"""Elements of XML by their local names: other tools write other versions of a namespace, or none."""

from collections.abc import Iterable
from xml.etree.ElementTree import Element


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rsplit("}", 1)[-1]  # a comment's tag is no text


def text_of(elements: Iterable[Element], name: str) -> str | None:
    """Return the text of the first element of that name, None where there is none; `parent.iter()` looks at all below it."""
    found = next((element for element in elements if local_name(element) == name), None)
    return None if found is None else (found.text or "").strip()
