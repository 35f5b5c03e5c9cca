from uppertail.models.hosts import Health, Hosts

URLS = ("http://a/v1", "http://b/v1", "http://c/v1")


def test_the_server_with_the_fewest_calls_in_flight_comes_first() -> None:
    hosts = Hosts(URLS)
    picked = []
    for _ in range(6):
        host = hosts.pick(0.0)
        host.in_flight += 1
        host.served += 1
        picked.append(host.base_url)
    assert picked == [*URLS, *URLS]


def test_idle_servers_take_turns() -> None:
    hosts = Hosts(URLS)
    picked = set()
    for _ in range(3):
        host = hosts.pick(0.0)
        host.served += 1
        picked.add(host.base_url)
    assert picked == set(URLS)


def test_a_server_that_failed_comes_back() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.failed(first, 0.0, started=0.0)
    assert hosts.pick(0.5) is not first
    assert hosts.pick(1.0) is first


def test_pauses_grow_with_failures_in_a_row_and_end_with_a_reply() -> None:
    hosts = Hosts(URLS)
    host, now, pauses = hosts.pick(0.0), 0.0, []
    for _ in range(8):
        hosts.failed(host, now, started=now)
        pauses.append(host.aside_until - now)
        now = host.aside_until
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    hosts.failed(host, now, started=now)
    host.answers()
    assert host.is_there(now)
    hosts.failed(host, now, started=now)
    assert host.aside_until == now + 1.0


def test_calls_that_were_under_way_when_a_server_failed_count_once() -> None:
    hosts = Hosts(URLS)
    host = hosts.pick(0.0)
    for late in range(20):
        hosts.failed(host, 0.1 + late / 1000, started=0.0)
    assert host.aside_until == 1.1
    hosts.failed(host, 0.2, started=0.0, pause_seconds=5.0)
    assert host.aside_until == 5.2


def test_a_pause_is_at_least_what_the_server_asked_for() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.failed(first, 0.0, started=0.0, pause_seconds=30.0)
    assert (first.aside_until, hosts.wait(5.0)) == (30.0, 0.0)
    hosts.failed(hosts.pick(0.0), 0.0, started=0.0, pause_seconds=20.0)
    assert hosts.wait(5.0) == 15.0


def test_after_its_pause_a_server_gets_one_call_at_a_time_until_it_replies() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.failed(first, 0.0, started=0.0)
    other = hosts.pick(0.5)
    other.in_flight = 9
    assert hosts.pick(2.0) is first
    first.in_flight = 1
    assert hosts.pick(2.0) is other
    first.answers()
    assert hosts.pick(2.0) is first


def test_where_all_are_set_aside_the_first_to_come_back_is_tried() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.failed(first, 0.0, started=0.0)
    assert hosts.any_left(0.5)
    hosts.failed(hosts.pick(0.5), 0.5, started=0.5)
    assert not hosts.any_left(0.7)
    assert hosts.pick(0.7, avoid={first}) is first


def test_a_server_to_be_avoided_is_taken_where_no_other_one_is_there() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    second = hosts.pick(0.0, avoid={first})
    assert second is not first
    assert not hosts.any_left(0.0, {first, second})
    assert hosts.pick(0.0, avoid={first, second}) is first
    hosts.failed(second, 0.0, started=0.0)
    assert hosts.pick(0.5, avoid={first}) is first


def test_a_server_that_refuses_is_left_alone_for_long_and_tried_last() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    assert hosts.refused(first, 0.0)
    assert not hosts.refused(first, 0.0)
    second = hosts.pick(100.0)
    assert second is not first
    hosts.failed(second, 100.0, started=0.0, pause_seconds=10_000.0)
    assert hosts.pick(101.0) is second
    assert not hosts.all_refuse
    hosts.refused(second, 101.0)
    assert hosts.all_refuse
    hosts.failed(first, 900.0, started=900.0)
    assert not hosts.all_refuse


def test_all_are_away_where_none_can_be_reached_that_would_take_calls() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.refused(first, 0.0)
    assert not hosts.all_away
    hosts.pick(0.0).away = True
    assert hosts.all_away


def test_a_prefix_goes_to_the_server_that_has_it_while_that_is_nearly_as_idle() -> None:
    hosts = Hosts(URLS[:2])
    home = hosts.pick(0.0, prefix="p")
    home.in_flight = 4
    assert hosts.pick(0.0) is not home
    assert hosts.pick(0.0, prefix="p") is home
    home.in_flight = 5
    other = hosts.pick(0.0, prefix="p")
    assert other is not home
    home.in_flight = 0
    assert hosts.pick(0.0, prefix="p") is other


def test_between_busy_servers_a_prefix_may_make_a_detour_of_a_quarter() -> None:
    hosts = Hosts(URLS[:2])
    home = hosts.pick(0.0, prefix="p")
    home.served = 1
    other = hosts.pick(0.0)
    other.in_flight, home.in_flight = 40, 50
    assert hosts.pick(0.0, prefix="p") is home
    home.in_flight = 51
    assert hosts.pick(0.0, prefix="p") is other


def test_a_prefix_leaves_a_server_that_is_set_aside() -> None:
    hosts = Hosts(URLS[:2])
    home = hosts.pick(0.0, prefix="p")
    hosts.failed(home, 0.0, started=0.0)
    assert hosts.pick(0.5, prefix="p") is not home


def test_the_prefixes_used_last_are_remembered() -> None:
    hosts = Hosts(URLS[:2], remembered=2)
    home = hosts.pick(0.0, prefix="p")
    hosts.pick(0.0, prefix="q")
    hosts.pick(0.0, prefix="p")
    hosts.pick(0.0, prefix="r")
    home.in_flight = 1
    assert hosts.pick(0.0, prefix="p") is home
    hosts.pick(0.0, prefix="r")
    assert hosts.pick(0.0, prefix="q") is not home


def test_a_call_goes_to_its_url() -> None:
    assert Hosts(URLS).pick(0.0).url == "http://a/v1/chat/completions"


def test_unreachable_time_starts_anew_when_a_server_was_heard() -> None:
    health = Health()
    assert health.unreachable(5.0) == 0.0
    assert health.unreachable(9.0) == 4.0
    health.heard()
    assert health.ever_heard
    assert health.unreachable(20.0) == 0.0


def test_lost_calls_in_a_row_start_anew_at_a_reply() -> None:
    health = Health()
    assert [health.lost(now) for now in (5.0, 8.0)] == [(1, 0.0), (2, 3.0)]
    assert not health.ever_replied
    health.replied()
    assert health.ever_replied
    assert health.lost(20.0) == (1, 0.0)
