# SPDX-License-Identifier: MIT
"""Gives commands to a running QEMU over its QMP socket. Knows no command's meaning."""

import json
import socket
import time
from pathlib import Path

from outcome import LabError

# QEMU answers at once, unless the machine is very busy.
ANSWER_SECONDS = 30


class Monitor:
    """A connection; made at the first command, when the guest surely runs."""

    def __init__(self, path: Path):
        self._path = path
        self._socket: socket.socket | None = None
        self._buffer = b""

    def execute(self, command: str, **arguments):
        """Runs one command; its return value. LabError if QEMU refuses it."""
        if self._socket is None:
            self._connect()
        return self._call(command, arguments)

    def close(self):
        """Ends the connection; the guest goes on."""
        if self._socket:
            self._socket.close()
            self._socket = None

    def _connect(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self.close()
            raise LabError(f"QMP: {error}") from error
        self._read_until("QMP")
        self._call("qmp_capabilities", {})

    def _call(self, command: str, arguments: dict):
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        return self._read_until("return")

    def _read_until(self, key: str):
        """The value of the next message that has this key; events are passed over."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            line, separator, rest = self._buffer.partition(b"\n")
            if separator:
                self._buffer = rest
                message = json.loads(line)
                if "error" in message:
                    raise LabError(f"QMP: {message['error'].get('desc', message['error'])}")
                if key in message:
                    return message[key]
                continue
            self._socket.settimeout(max(0.1, deadline - time.monotonic()))
            try:
                data = self._socket.recv(65536)
            except TimeoutError as error:
                raise LabError(f"QMP: no answer within {ANSWER_SECONDS} s") from error
            if not data:
                raise LabError("QMP: QEMU closed the connection")
            self._buffer += data
