"""Arithmetic coding: from symbols to bits and back, given integer odds for each symbol.

A message is an interval of numbers: it begins as all of [0, 1), and each symbol keeps the part of it that is the
symbol's share. Likely symbols keep much, so that few bits are enough to name a number inside the last interval: about
-log2 of the product of all shares. The idea is Rissanen's (1976, IBM Journal of Research and Development 20, 198-203);
working with ends of fixed length and writing bits as soon as they are certain follows Witten, Neal and Cleary (1987,
Communications of the ACM 30, 520-540). No floating-point number is used: every machine does the same arithmetic.
"""

from minillm.errors import DataError

ONE = 1 << 32
"""The interval [0, 1) in units of 2^-32."""
HALF, QUARTER = ONE // 2, ONE // 4


class Interval:
    """The numbers low to high that are still possible, in 32 bits; common to both directions."""

    def __init__(self):
        self.low, self.high = 0, ONE - 1

    def narrow(self, start: int, end: int, total: int) -> None:
        """Keep the share from start to end of total parts. Raises DataError for a share that is empty or too fine."""
        if not 0 <= start < end <= total <= QUARTER:
            raise DataError(f"{start} to {end} of {total} is no share.", "Use 0 <= start < end <= total <= 2^30.")
        width = self.high - self.low + 1
        self.low, self.high = self.low + width * start // total, self.low + width * end // total - 1

    def settled(self) -> int | None:
        """Return where the interval lies: 0 lower half, 1 upper half, 2 the half in the middle, None in no half."""
        if self.high < HALF:
            return 0
        if self.low >= HALF:
            return 1
        return 2 if self.low >= QUARTER and self.high < HALF + QUARTER else None

    def zoom(self, where: int) -> int:
        """Stretch the half in which the interval lies to the whole; return what was taken off first."""
        offset = (0, HALF, QUARTER)[where]
        self.low, self.high = 2 * (self.low - offset), 2 * (self.high - offset) + 1
        return offset


class Encoder(Interval):
    """Shares in, bits out: the first bits that all numbers of the interval begin with are written and forgotten."""

    def __init__(self):
        super().__init__()
        self.bits: list[int] = []
        self.waiting = 0  # zooms into the middle, whose bits are the opposite of the next certain one

    def encode(self, start: int, end: int, total: int) -> None:
        """Add a symbol that owns the parts from start to end of total."""
        self.narrow(start, end, total)
        while (where := self.settled()) is not None:
            if where == 2:
                self.waiting += 1
            else:
                self.write(where)
            self.zoom(where)

    def write(self, bit: int) -> None:
        """Write a bit, and the ones that waited for it."""
        self.bits += [bit] + [1 - bit] * self.waiting
        self.waiting = 0

    def finish(self) -> bytes:
        """Return all bits, with the two that name a quarter inside the last interval, filled up with zeros to bytes."""
        self.waiting += 1
        self.write(0 if self.low < QUARTER else 1)
        self.bits += [0] * (-len(self.bits) % 8)
        return bytes(int("".join(map(str, self.bits[i : i + 8])), 2) for i in range(0, len(self.bits), 8))


class Decoder(Interval):
    """Bits in, shares out: holds the 32 bits of the number that matter now; after the last bit come zeros."""

    def __init__(self, data: bytes):
        super().__init__()
        self.bits = (byte >> place & 1 for byte in data for place in range(7, -1, -1))
        self.number = 0
        for _ in range(32):
            self.number = 2 * self.number + next(self.bits, 0)

    def target(self, total: int) -> int:
        """Return which of total parts holds the number: the next symbol is the one that owns this part."""
        width = self.high - self.low + 1
        return ((self.number - self.low + 1) * total - 1) // width

    def decode(self, start: int, end: int, total: int) -> None:
        """Remove the symbol that owns the parts from start to end of total, found with `target`."""
        self.narrow(start, end, total)
        while (where := self.settled()) is not None:
            self.number = 2 * (self.number - self.zoom(where)) + next(self.bits, 0)
