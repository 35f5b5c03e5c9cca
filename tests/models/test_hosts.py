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


def test_a_server_that_was_set_aside_comes_back() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.set_aside(first, 0.0)
    assert hosts.pick(1.0) is not first
    assert hosts.pick(60.0) is first


def test_where_all_are_set_aside_the_first_to_come_back_is_tried() -> None:
    hosts = Hosts(URLS[:2])
    first = hosts.pick(0.0)
    hosts.set_aside(first, 0.0)
    assert hosts.any_left(1.0)
    hosts.set_aside(hosts.pick(1.0), 1.0)
    assert not hosts.any_left(2.0)
    assert hosts.pick(2.0) is first


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
    health.replied()
    assert health.lost(20.0) == (1, 0.0)
