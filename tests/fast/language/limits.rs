//! Large, deep, endless and damaged playbooks.

use std::fs;
use std::path::Path;

use tidewalk::playbook::Playbook;

use super::sections::sections;
use super::{Folder, SITE, output, plain};

#[test]
fn a_loop_without_end_is_stopped() {
    let folder = Folder::new(
        "
stack: site
outputs:
  long: '{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}x'
",
    );
    let refused = folder.refused(&Folder::options());
    assert!(refused.contains("runs for too long"), "{refused}");
}

#[test]
fn deep_values_and_deep_expressions_do_not_overflow() {
    let deep = format!("{}x{}", "[".repeat(97), "]".repeat(97));
    let text = format!("stack: site\noutputs: {{ deep: {deep} }}\n");
    let playbook = Folder::new(&text).load();
    assert!(output(&playbook, "deep").is_array());
    // Far beyond what is allowed, and just within it.
    let nest = |open: &str, close: &str, times: usize| {
        let deep = format!("{}1{}", open.repeat(times), close.repeat(times));
        let text = format!("stack: site\noutputs: {{ deep: \"{deep}\" }}\n");
        Folder::new(&text).try_load(&Folder::options())
    };
    for (open, close, most) in [
        ("{% if 1 %}", "{% endif %}", 40),
        ("{% if 1 %}{% elif 2 %}", "{% endif %}", 20),
        ("{% for a in [1] %}", "{% endfor %}", 40),
    ] {
        assert!(nest(open, close, most).is_ok(), "{open}");
        assert!(nest(open, close, 5000).is_err(), "{open}");
    }
    for (open, close, most) in [
        ("(", ")", 30),
        ("[", "]", 30),
        ("{'a': ", "}", 30),
        ("not ", "", 390),
        ("-", "", 390),
        ("2 ** ", "", 130),
        ("", " + 1", 190),
        ("", " ~ 1", 190),
        ("", " | abs", 190),
        ("", "[0:1]", 60),
        ("1 if true else ", "", 90),
        ("1 and ", "", 190),
        ("range(", ")", 30),
    ] {
        let inside = |times| {
            let (open, close) = (open.repeat(times), close.repeat(times));
            nest(&format!("{{{{ {open}"), &format!("{close} }}}}"), 1)
        };
        let near = inside(most);
        let refused = near.err().unwrap_or_default();
        assert!(!refused.contains("too long"), "{open} {close}: {refused}");
        let refused = inside(5000).err().unwrap_or_default();
        assert!(refused.contains("too long"), "{open} {close}: {refused}");
    }
}

#[test]
fn a_long_chain_of_references_is_walked() {
    let mut text = "stack: site\nelastic_ips:\n  n0: {}\n".to_owned();
    for index in 1..20_000 {
        let line = format!("  n{index}: {{ depends_on: elastic_ips.n{} }}\n", index - 1);
        text.push_str(&line);
    }
    assert_eq!(Folder::new(&text).load().declarations.len(), 20_000);
}

#[test]
fn fifty_thousand_items_load_in_seconds() {
    let mut text = "stack: site\nkey_pairs: { de3: {} }\ninstances:\n".to_owned();
    for index in 0..50_000 {
        let line = format!(
            "  n{index}: {{ ami: {{ id: a }}, instance_type: t3a, key_pair: de3, user_data: '{{{{stack}}}}' }}\n"
        );
        text.push_str(&line);
    }
    let start = std::time::Instant::now();
    let playbook = Folder::new(&text).try_load(&Folder::options());
    let took = start.elapsed();
    match playbook {
        Ok(playbook) => assert_eq!(playbook.declarations.len(), 50_001),
        Err(errors) => panic!("{errors}"),
    }
    assert!(took.as_secs() < 60, "took {took:?}");
}

/// A small generator of numbers that look random: the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }
}

#[test]
fn damaged_playbooks_are_refused_without_a_panic() {
    let mut numbers = Numbers(0x5eed_1234_abcd_0001);
    let pieces: Vec<&[u8]> = vec![
        b"{{",
        b"}}",
        b"{%",
        b"%}",
        b"\"",
        b"'",
        b": ",
        b"\n",
        b"- ",
        b"&a ",
        b"*a",
        b"<<: ",
        b"\t",
        b"\xff",
        b"|\n",
        b"[",
        b"]",
        b"{",
        b"}",
        b"---\n",
        b"# ",
        b"!x ",
        b"\xc3\xa9",
        b"elastic_ips.my-box",
        b"{{ vars.",
        b"for_each: ",
        b"\\",
        b"include: site.yml\n",
        b"\0",
    ];
    let folder = Folder::new("");
    let sections = sections();
    for _ in 0..400 {
        let mut bytes = SITE.as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            let at = numbers.below(bytes.len());
            if numbers.below(3) == 0 {
                drop(bytes.drain(at..(at + numbers.below(40)).min(bytes.len())));
            } else {
                let piece = pieces[numbers.below(pieces.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
        }
        let path: &Path = &folder.0.path().join("site.yml");
        fs::write(path, &bytes).unwrap();
        if let Err(errors) = Playbook::load(path, &Folder::options(), &sections) {
            assert!(!plain(&errors).is_empty());
        }
    }
}
