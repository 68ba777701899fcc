"""Whether a series of samples grows: for long_life.py.

A line through a process's memory is drawn by its outliers: an allocator returns a big piece, a
thread ends late. So the slope is the median of the slopes between all pairs of samples
(Theil-Sen), which a quarter of wild samples cannot turn, and only the second half of the series
counts: what caches and pools take at first is no leak.
"""
import statistics


def slope(samples):
    """The median slope of (time, value) pairs, in values per unit of time; 0 for fewer than two."""
    slopes = [(later - earlier) / (end - begin)
              for index, (begin, earlier) in enumerate(samples)
              for end, later in samples[index + 1:] if end != begin]
    return statistics.median(slopes) if slopes else 0.0


def second_half(samples):
    return samples[len(samples) // 2:]


def judge(series, limits, hour):
    """A verdict for each quantity of `series`, {name: [(time, value)]}, that has a limit.

    `limits` is {name: most growth in an hour}; `hour` is an hour in the unit of the times. The
    growth may be negative, and that is flat.
    """
    verdicts = {}
    for name, most in limits.items():
        samples = series[name]
        growth = slope(second_half(samples)) * hour
        values = [value for _, value in samples]
        verdicts[name] = {
            "first": values[0], "median": statistics.median(values), "last": values[-1],
            "highest": max(values), "growth_per_hour": growth, "limit_per_hour": most,
            "flat": growth <= most,
        }
    return verdicts
