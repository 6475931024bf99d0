"""Large photographs may pass, and what an operator set stays."""

from types import SimpleNamespace

import pytest

from mnistedu.server import LARGEST, _load_jupyter_server_extension


@pytest.mark.parametrize(
    ("before", "after"),
    [(None, LARGEST), (10 * 2**20, 10 * 2**20), (5 * LARGEST, 5 * LARGEST)],
)
def test_the_limit_is_raised_where_no_operator_has_set_one(before, after):
    name = "websocket_max_message_size"
    settings = {name: before} if before else {}
    web_app = SimpleNamespace(settings=settings)
    _load_jupyter_server_extension(SimpleNamespace(web_app=web_app))
    assert settings == {name: after}
