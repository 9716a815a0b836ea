//! What stands around the records: requests, resources, scopes, and the framing of them all.

use super::values::{named, text};
use super::wire::{field, fixed64, group, varint};
use super::{Seed, request};

/// Requests about one plain item.
pub(super) fn requests(item: &[u8]) -> Vec<Seed> {
    let items = field(2, item);
    let scope = [field(1, b"name"), field(2, b"1.0"), field(3, &named(b"k", &text(b"v"))), varint(4, 5)];
    let scope = scope.concat();
    let resource = [field(1, &named(b"service.name", &text(b"checkout"))), varint(2, 3)].concat();
    let entity =
        [field(1, b"schema"), field(2, b"host\0"), field(3, b"id"), field(4, b"description")].concat();
    // A group of each level, with a head, items and a schema.
    let level = |head: &[u8], items: &[u8]| [field(1, head), items.to_vec(), field(3, b"schema")].concat();
    let full = field(1, &level(&resource, &field(2, &level(&scope, &items))));
    let plain = request(&[item.to_vec()]);
    let with_head = |head: &[u8]| field(1, &[head.to_vec(), field(2, &items)].concat());
    vec![
        ("request-empty", Vec::new()),
        ("request-plain", plain.clone()),
        ("request-full", full.clone()),
        ("request-with-two-groups", [full.clone(), plain.clone()].concat()),
        ("request-of-twins", [plain.clone(), plain.clone()].concat()),
        (
            "request-with-unknown-fields",
            [varint(7, 1), plain.clone(), fixed64(9, 1), field(99, b"x")].concat(),
        ),
        ("request-with-groups", [group(5, &group(6, &varint(1, 1))), plain.clone()].concat()),
        ("group-that-never-ends", [plain.clone(), vec![0x2b]].concat()),
        ("group-that-ends-as-another", [plain.clone(), vec![0x2b, 0x34]].concat()),
        ("groups-deeper-than-100", (0..120).fold(Vec::new(), |inner, _| group(5, &inner))),
        ("group-empty", field(1, b"")),
        ("scope-group-empty", field(1, &field(2, b""))),
        ("items-empty", request(&[Vec::new(), Vec::new()])),
        ("item-of-another-wire-type", field(1, &field(2, &[items.clone(), varint(2, 1)].concat()))),
        ("group-of-another-wire-type", field(1, &varint(2, 1))),
        ("request-of-another-wire-type", varint(1, 1)),
        ("tag-zero", vec![0, 1]),
        ("tag-of-no-wire-type", vec![0x0e, 1]),
        ("varint-of-11-bytes", [&[0x38][..], &[0xff; 10], &[1]].concat()),
        ("length-beyond-the-end", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("breaks-off", plain[..plain.len() - 1].to_vec()),
        ("breaks-off-in-an-item", request(&[item[..item.len() - 1].to_vec(), item.to_vec()])),
        ("resource-twice", with_head(&[field(1, &resource), field(1, &varint(2, 9))].concat())),
        ("resource-with-entities", with_head(&field(1, &[field(3, &entity), field(3, b"")].concat()))),
        ("resource-not-utf8", with_head(&field(1, &field(1, &named(b"service.name", &text(b"\xff")))))),
        ("resource-breaks-off", with_head(&field(1, b"\x0a\x05abc"))),
        ("schema-with-nul", with_head(&field(3, b"\0\xff"))),
        ("scope-twice", field(1, &field(2, &[field(1, &scope), field(1, &field(1, b"\0")), items].concat()))),
    ]
}
