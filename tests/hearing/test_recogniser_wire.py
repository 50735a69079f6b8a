import io

from app.hearing.recogniser_wire import HEADER, Kind, Packet, pack
from app.hearing.recogniser_worker import read


def test_packets_come_out_as_they_went_in() -> None:
    packets = [Packet(Kind.PING), Packet(Kind.AUDIO, 7, 3, b"\xff" * 640), Packet(Kind.END, 2**32 - 1, 9)]

    assert list(read(io.BytesIO(b"".join(map(pack, packets))))) == packets


def test_a_packet_that_breaks_off_is_not_one() -> None:
    whole = pack(Packet(Kind.AUDIO, 1, 1, b"abc"))

    for cut in range(len(whole)):
        assert list(read(io.BytesIO(whole[:cut]))) == []


def test_the_header_says_how_much_follows() -> None:
    assert HEADER.unpack(pack(Packet(Kind.AUDIO, 4, 2, b"abc"))[: HEADER.size]) == (Kind.AUDIO, 4, 2, 3)
