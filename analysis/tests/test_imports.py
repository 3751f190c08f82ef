"""Import vectors from QEMU's log, and the batches that they allow."""

from __future__ import annotations

from analysis.imports import batches, hot_vectors, import_vectors

LOG = """\
PROLOGUE: [size=45]
----------------
IN: first
0x80008dec:  0003a797          auipc                   a5,58
0x80008df0:  da47b783          ld                      a5,-604(a5)

OP:
 ld_i32 loc1,env,$0xfffffffffffffff8
 qemu_ld_i64 x15/a5,loc4,noat+un+leq,3
 qemu_st_i64 x19/s3,loc5,noat+un+leq,3
 qemu_ld_i64 x15/a5,loc4,noat+un+leq,3
 qemu_ld_i64 x15/a5,loc4,noat+un+sb,3
 call lookup_tb_ptr,$0x6,$1,tmp15,env
----------------
IN:
0x80008de8:  18054b63          bltz                    a0,406

OP:
 goto_tb $0x1
----------------
IN: first, once more
0x80008dec:  0003a797          auipc                   a5,58
OP:
 call other,$0x0,$0,env
"""


def test_vectors_are_in_the_order_of_first_use() -> None:
    assert import_vectors(LOG.splitlines()) == {
        0x80008DEC: ("ld_leq", "st_leq", "ld_b", "lookup_tb_ptr"),
        0x80008DE8: (),
    }


def test_only_hot_tbs_that_are_known_count() -> None:
    vectors = {1: ("a",), 2: ("b",)}
    assert hot_vectors(vectors, [1, 2, 3, 1], [5, 4, 9, 7], 5) == [("a",), ("a",)]


def test_batches_by_each_rule() -> None:
    a, b, c = ("x", "y"), ("y", "x"), ("z",)
    hot = [a, b, a, c, c, c, c, b]
    found = [(x.tbs, x.modules) for x in batches(hot, 4)]
    # {a a}{b}{c} and {c c c}{b}; by sets {a b a}{c} and {c c c}{b}; all: a b c c.
    assert found == [(8, 2), (8, 5), (8, 4), (8, 3)]
    assert batches(hot, 4)[0].occupancy == 4.0
    # With room for two TBs in a module, four c's take two modules.
    assert batches(hot, 2)[3].modules == 4
