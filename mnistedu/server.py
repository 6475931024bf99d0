"""An extension of Jupyter's server, so that large photographs reach the pad.

A file goes to the kernel in one message. Of messages above 10 MB the server closes the
connection without a word, and a phone's photographs may be larger. Whatever a reader
may take for a picture should arrive: then the pad can say what is wrong with it.
"""

from typing import Any

LARGEST = 2**30  # bytes


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "mnistedu.server"}]


def _load_jupyter_server_extension(server: Any) -> None:
    # What an operator has set stays, larger or smaller.
    server.web_app.settings.setdefault("websocket_max_message_size", LARGEST)
