from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauth2_sansio.retry_after import LONGEST_RETRY_AFTER, read_retry_after

SUN_06_NOV_1994_08_49_37 = 784111777.0
FRI_01_MAY_2026_12_00_00 = 1777636800.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("007", 7.0),
        (" \t120 ", 120.0),
        pytest.param("1".rjust(64), 1.0, id="63 spaces"),
        ("86400", 86400.0),
        ("86401", 86_400.0),
        ("9" * 20, LONGEST_RETRY_AFTER),
    ],
)
def test_a_number_is_seconds(value: str, expected: float) -> None:
    assert read_retry_after(value, 0.0) == expected


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun Nov 06 08:49:37 1994",
    ],
)
@pytest.mark.parametrize(("passed", "expected"), [(-90.5, 90.5), (0.0, 0.0), (1.0, 0.0)])
def test_a_date_is_the_seconds_until_then(value: str, passed: float, expected: float) -> None:
    assert read_retry_after(value, SUN_06_NOV_1994_08_49_37 + passed) == expected


@pytest.mark.parametrize("month", range(1, 13))
def test_every_month_has_its_name(month: int) -> None:
    moment = datetime(2026, month, 9, 12, 0, 30, tzinfo=UTC)
    value = f"{moment:%a, %d %b %Y %H:%M:%S} GMT"
    assert read_retry_after(value, moment.timestamp() - 30) == 30.0


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Fri, 01 May 2026 12:00:01 GMT", 1.0),
        ("Fri, 01 May 2026 11:59:60 GMT", 0.0),
        ("Fri, 01 May 2026 12:00:60 GMT", 60.0),
        ("Friday, 01-May-26 12:01:00 GMT", 60.0),
        ("Saturday, 02-May-26 12:00:00 GMT", 86400.0),
        ("Sunday, 03-May-26 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Thursday, 01-May-70 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Friday, 01-May-76 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Sunday, 07-Jun-76 12:00:00 GMT", LONGEST_RETRY_AFTER),
        ("Sunday, 07-Jun-76 12:00:01 GMT", 0.0),
        ("Sunday, 01-May-77 12:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_RETRY_AFTER),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
    ],
)
def test_dates_are_cut_at_both_ends(value: str, expected: float) -> None:
    assert read_retry_after(value, FRI_01_MAY_2026_12_00_00) == expected


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "1_000",
        "\u0661\u0662",  # 12 in Arabic digits, which `int` would read
        "²",
        "120 s",
        "120, 120",
        "120\n",
        "nan",
        "inf",
        "soon",
        "1" * 21,
        pytest.param("1" * 5000, id="5000 digits"),
        pytest.param(" " * 64 + "1", id="64 spaces"),
        "sun, 06 nov 1994 08:49:37 gmt",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Wed, 31 Feb 2026 08:49:37 GMT",
        "Wednesday, 31-Feb-26 08:49:37 GMT",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:00 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 0\u0666 Nov 1994 08:49:37 GMT",
    ],
)
def test_what_cannot_be_used_is_none(value: str | None) -> None:
    assert read_retry_after(value, SUN_06_NOV_1994_08_49_37) is None


@given(
    st.text()
    | st.from_regex(r"\A[0-9]{1,30}\Z")
    | st.from_regex(r"\A(Sun|Mon), [0-9]{2} (Feb|Dec) [0-9]{4} [0-2][0-9]:[0-9]{2}:[0-9]{2} GMT\Z")
    | st.from_regex(r"\AMonday, [0-9]{2}-(Feb|Dec)-[0-9]{2} [0-2][0-9]:[0-9]{2}:[0-9]{2} GMT\Z"),
    st.floats(min_value=0, max_value=1e11),
)
def test_any_text_gives_none_or_at_most_a_day(value: str, now: float) -> None:
    seconds = read_retry_after(value, now)
    assert seconds is None or 0.0 <= seconds <= LONGEST_RETRY_AFTER
