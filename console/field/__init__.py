"""Officers in the field: pushes to their pages, what pages report, what tracks tell of tasks."""
