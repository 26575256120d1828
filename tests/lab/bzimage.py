# SPDX-License-Identifier: MIT
"""The kernel inside an x86 kernel image, for QEMU to start as it is.

An image unpacks itself, which takes an emulated CPU seconds at each boot. What is inside is an ELF
file that says in a note where a hypervisor may enter it (the PVH boot protocol).
"""

import lzma
import struct
import zlib
from collections.abc import Iterator

_MAGIC = b"HdrS"
_MAGIC_AT = 0x202
_SETUP_SECTORS_AT = 0x1F1
_PAYLOAD_AT = 0x248  # its offset and its length, from version 2.08 of the boot protocol
_VERSION_AT = 0x206
_PT_NOTE = 4
_ENTRY_NOTE = (b"Xen\0", 18)  # XEN_ELFNOTE_PHYS32_ENTRY


def kernel_inside(image: bytes) -> bytes | None:
    """The ELF file; None if there is none, or none that Python can unpack and QEMU can enter."""
    if image[_MAGIC_AT:_MAGIC_AT + 4] != _MAGIC:
        return None
    if struct.unpack_from("<H", image, _VERSION_AT)[0] < 0x208:
        return None
    begin = (max(image[_SETUP_SECTORS_AT], 1) + 1) * 512
    offset, length = struct.unpack_from("<II", image, _PAYLOAD_AT)
    kernel = _unpacked(image[begin + offset:begin + offset + length])
    return kernel if kernel and _ENTRY_NOTE in _notes(kernel) else None


def _unpacked(payload: bytes) -> bytes | None:
    # The size follows at the end, which a decompressor leaves alone.
    try:
        if payload.startswith(b"\xfd7zXZ\0"):
            return lzma.LZMADecompressor().decompress(payload)
        if payload.startswith(b"\x1f\x8b"):
            return zlib.decompressobj(wbits=31).decompress(payload)
    except (lzma.LZMAError, zlib.error):
        # A filter that this machine does not know. The image unpacks itself.
        pass
    return None


def _notes(kernel: bytes) -> Iterator[tuple[bytes, int]]:
    if not kernel.startswith(b"\x7fELF\x02\x01"):
        return
    (headers,) = struct.unpack_from("<Q", kernel, 32)
    size, count = struct.unpack_from("<HH", kernel, 54)
    for number in range(count):
        kind, _, begin, _, _, length = struct.unpack_from(
            "<IIQQQQ", kernel, headers + number * size)
        at = begin
        while kind == _PT_NOTE and at + 12 <= begin + length:
            name, text, note = struct.unpack_from("<III", kernel, at)
            at += 12
            yield kernel[at:at + name], note
            at += -(-name // 4) * 4 + -(-text // 4) * 4
