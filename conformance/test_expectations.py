"""No intended difference is kept after it has gone."""

import pathlib

import pytest

from conftest import HERE, SUBJECT


@pytest.mark.last
def test_every_expectation_is_needed(pair, case_ids, request):
    if SUBJECT != "ours":
        pytest.skip("the reference is compared with itself")
    collected = {pathlib.Path(item.path) for item in request.session.items}
    options = request.config.option
    selected = options.keyword or options.markexpr or any("::" in a for a in request.config.args)
    if selected or collected != set(HERE.glob("test_*.py")):
        pytest.skip("only a run of all cases can tell")
    assert pair.expectations.stale(case_ids) == []
