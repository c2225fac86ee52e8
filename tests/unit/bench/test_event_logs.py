"""Event logs are read as stays."""

import gzip
from pathlib import Path

import pytest

from bench.event_log import read_xes, slow_down
from milepost.forecasts.stays import Stay

LOG = """<?xml version="1.0"?>
<log xmlns="http://www.xes-standard.org/">
 <trace><string key="concept:name" value="1"/>
  <event><string key="concept:name" value="Accepted"/><string key="lifecycle:transition"
   value="Assigned"/><date key="time:timestamp" value="2026-03-01T10:00:00+00:00"/></event>
  <event><string key="concept:name" value="Completed"/><string key="lifecycle:transition"
   value="Closed"/><date key="time:timestamp" value="2026-03-01T12:00:00+00:00"/></event>
  <event><string key="concept:name" value="Completed"/><string key="lifecycle:transition"
   value="Resolved"/><date key="time:timestamp" value="2026-03-01T11:30:00+01:00"/></event>
 </trace>
 <trace>
  <event><string key="concept:name" value="Alone"/>
   <date key="time:timestamp" value="2026-03-01T10:00:00+00:00"/></event>
 </trace>
</log>
"""


@pytest.mark.parametrize("is_zipped", [True, False])
def test_a_case_ends_when_it_enters_its_last_name(tmp_path: Path, is_zipped: bool) -> None:
    path = tmp_path / ("log.xes.gz" if is_zipped else "log.xes")
    path.write_bytes(gzip.compress(LOG.encode()) if is_zipped else LOG.encode())
    ((stay,),) = read_xes(path)
    assert stay.stage == "Accepted: Assigned"
    assert stay.left == stay.ended
    assert stay.left is not None
    assert stay.left - stay.entered == 30 * 60


def test_a_log_that_is_slowed_down_takes_longer_from_then_on() -> None:
    cases = [[Stay(stage="a", entered=0.0, left=10.0, ended=20.0)]]
    ((slower,),) = slow_down(cases, since=4.0, factor=1.5)
    assert (slower.entered, slower.left, slower.ended) == (0.0, 13.0, 28.0)
