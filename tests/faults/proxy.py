"""A way between a client and a hub that breaks: it cuts both sides after so many bytes."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from attrs import define, field

_PIECE = 4096


@define
class Way:
    """Listens on one port and carries to another. Connections that come are cut as `cuts` says, in turn.

    Attributes:
        port: where the hub listens.
        cuts: for each connection to be cut, the side (``request`` or ``answer``) and after how many of
            its bytes; when none is left, connections stay whole.
        cut: how many were, by side.
    """

    listener: socket.socket
    port: int
    cuts: list[tuple[str, int]]
    cut: Counter[str] = field(factory=Counter)
    _lock: threading.Lock = field(factory=threading.Lock)

    def serve(self) -> None:
        """Until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                with self._lock:
                    side, limit = self.cuts.pop() if self.cuts else ("", -1)
                try:
                    far = socket.create_connection(("127.0.0.1", self.port))
                except ConnectionRefusedError:
                    near.close()
                    continue
                for name, source, sink in (("request", near, far), ("answer", far, near)):
                    arguments = (name, source, sink, limit if name == side else -1)
                    threading.Thread(target=self._carry, args=arguments, daemon=True).start()

    def _carry(self, side: str, source: socket.socket, sink: socket.socket, limit: int) -> None:
        carried = 0
        with suppress(OSError):
            while piece := source.recv(_PIECE):
                if 0 <= limit <= carried + len(piece):
                    sink.sendall(piece[: limit - carried])
                    with self._lock:
                        self.cut[side] += 1
                    break
                sink.sendall(piece)
                carried += len(piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def breaking(port: int, *, to: int, cuts: list[tuple[str, int]]) -> Iterator[Way]:
    """A way from one port to another that cuts."""
    with socket.create_server(("127.0.0.1", port), backlog=64) as listener:
        way = Way(listener, to, cuts)
        thread = threading.Thread(target=way.serve, daemon=True)
        thread.start()
        try:
            yield way
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
