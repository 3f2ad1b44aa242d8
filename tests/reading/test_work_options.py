import pytest

from roadseg.reading.work_options import WorkOptions


@pytest.mark.parametrize("cluster", [None, "local", "tcp://10.0.0.7:8786", "tls://scheduler.lab:8786"])
def test_cluster_may_be(cluster):
    assert WorkOptions(in_flight=16, cluster=cluster, wait_for_workers=60).cluster == cluster


@pytest.mark.parametrize("cluster", ["", "localhost", "tcp://10.0.0.7", "http://10.0.0.7:8786", "tcp://:8786"])
def test_other_clusters_are_refused(cluster):
    with pytest.raises(ValueError, match="expected null, local, or the address of a scheduler as tcp://HOST:PORT"):
        WorkOptions(in_flight=16, cluster=cluster, wait_for_workers=60)
