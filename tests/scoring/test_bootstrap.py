import numpy as np
import pytest
import scipy.stats

from roadseg.scoring.bootstrap import RESAMPLES, bootstrap_differences, bootstrap_intervals


def ratio(counts):
    """Hits over pixels; NaN without pixels."""
    return [counts[0] / counts[1] if counts[1] else np.nan]


def drives(count, seed=0):
    random = np.random.default_rng(seed)
    pixels = random.integers(50, 150, count)
    return np.stack([random.binomial(pixels, 0.7), pixels], axis=1)


def test_interval_is_that_of_scipy_up_to_the_draws():
    counts = drives(30)
    ((low, high),) = bootstrap_intervals(counts, ratio, seed=1)
    theirs = scipy.stats.bootstrap(
        (counts[:, 0], counts[:, 1]),
        lambda hits, pixels, axis: hits.sum(axis) / pixels.sum(axis),
        paired=True,
        method="percentile",
        n_resamples=20_000,
        rng=np.random.default_rng(5),
    )
    width = theirs.confidence_interval.high - theirs.confidence_interval.low
    assert low == pytest.approx(theirs.confidence_interval.low, abs=0.15 * width)
    assert high == pytest.approx(theirs.confidence_interval.high, abs=0.15 * width)


def test_it_can_be_repeated():
    counts = drives(9)
    assert bootstrap_intervals(counts, ratio, seed=1) == bootstrap_intervals(counts, ratio, seed=1)
    assert bootstrap_intervals(counts, ratio, seed=1) != bootstrap_intervals(counts, ratio, seed=2)


def test_each_of_several_scores_has_the_interval_it_would_have_alone():
    counts = drives(9)

    def both(sums):
        return np.array([*ratio(sums), 1 - ratio(sums)[0], np.nan])

    first, second, undefined = bootstrap_intervals(counts, both, seed=1)
    assert [first] == bootstrap_intervals(counts, ratio, seed=1)
    assert second == pytest.approx((1 - first[1], 1 - first[0]))
    assert undefined is None


@pytest.mark.parametrize(("count", "enough"), [(1, False), (4, False), (5, True)])
def test_fewer_than_five_drives_have_no_interval(count, enough):
    counts = drives(count)
    assert (bootstrap_intervals(counts, ratio, seed=1) != [None]) == enough
    assert (bootstrap_differences(counts, counts, ratio, seed=1) != [None]) == enough


def test_equal_drives_have_an_interval_of_no_width():
    assert bootstrap_intervals(np.array([[3, 4]] * 6), ratio, seed=1) == [(0.75, 0.75)]


def test_draws_without_a_score_are_left_out():
    counts = np.array([[0, 0]] * 4 + [[3, 4]])  # about a third of the draws miss the one drive with pixels
    assert bootstrap_intervals(counts, ratio, seed=1) == [(0.75, 0.75)]
    assert bootstrap_intervals(np.zeros((5, 2), int), ratio, seed=1) == [None]


def test_large_counts_stay_exact():
    seen = []
    bootstrap_intervals(np.array([[2**53 + 1, 1]] * 5), lambda counts: seen.append(int(counts[0])) or [0.0], seed=1)
    assert seen == [5 * (2**53 + 1)] * RESAMPLES


def test_difference_is_paired():
    ours = drives(8)
    theirs = ours - ours[:, 1:] // 10 * [[1, 0]]  # a tenth of the pixels lost in each drive, however hard it is
    (difference,) = bootstrap_differences(ours, theirs, ratio, seed=1)
    assert difference.value == pytest.approx((ours[:, 1] // 10).sum() / ours[:, 1].sum())
    assert 0 < difference.low <= difference.value <= difference.high
    ((low, high),) = bootstrap_intervals(ours, ratio, seed=1)
    assert difference.high - difference.low < 0.1 * (high - low)


def test_a_run_differs_from_itself_by_nothing():
    (difference,) = bootstrap_differences(drives(8), drives(8), ratio, seed=1)
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)


@pytest.mark.parametrize("count", [4, 7])
def test_runs_over_other_drives_are_refused(count):
    with pytest.raises(ValueError, match=rf"equal shapes, received \(6, 2\) and \({count}, 2\)"):
        bootstrap_differences(drives(6), drives(count), ratio, seed=1)
