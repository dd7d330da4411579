//! Whose listing it is: the home of the guest, `/local/domain/N`.
//!
//! A listing taken inside the guest has relative lines and needs none. In one of the whole store
//! the uuid of the guest decides, or that only one domain has disks.

use std::collections::BTreeMap;

use xvdguard_logic::text::Text;

use super::{Node, Value, child};
use crate::error::{Error, Result};

const DOMAINS: &str = "/local/domain";

/// The guest's home, where the listing has one; an error where it could be several.
pub fn find(nodes: &BTreeMap<Text, Node>, uuid: Option<&Text>) -> Result<Option<Text>> {
    let homes = homes(nodes);
    if let Some(home) = uuid.and_then(|uuid| homes.iter().find(|home| is_of(nodes, home, uuid))) {
        return Ok(Some(home.clone()));
    }
    let with_disks: Vec<_> = homes.iter().filter(|home| has_disks(nodes, home)).collect();
    match with_disks[..] {
        [] => Ok(None),
        [home] => Ok(Some(home.clone())),
        _ if nodes.keys().any(|path| !path.starts_with("/")) => Ok(None),
        _ => Err(ambiguous(&with_disks)),
    }
}

fn homes(nodes: &BTreeMap<Text, Node>) -> Vec<Text> {
    let domains = Text::from(DOMAINS);
    let numbers = nodes.get(&domains).map_or(&[][..], |node| &node.children);
    numbers.iter().map(|number| child(&domains, number)).collect()
}

fn is_of(nodes: &BTreeMap<Text, Node>, home: &Text, uuid: &Text) -> bool {
    let Some(Value::Is(vm)) = nodes.get(&child(home, &"vm".into())).map(|node| &node.value) else {
        return false;
    };
    let named = vm.as_bytes().strip_prefix(b"/vm/");
    named.is_some_and(|named| named.eq_ignore_ascii_case(uuid.as_bytes().trim_ascii()))
}

fn has_disks(nodes: &BTreeMap<Text, Node>, home: &Text) -> bool {
    let disks = nodes.get(&child(home, &"device/vbd".into()));
    disks.is_some_and(|node| !node.children.is_empty())
}

fn ambiguous(homes: &[&Text]) -> Error {
    let names: Vec<String> = homes.iter().map(|home| home.to_string()).collect();
    let why = format!(
        "{} have disks, and the uuid of this guest names none of them; \
         save the listing of one guest, or inside the guest with: xenstore-ls -f device > FILE",
        names.join(" and ")
    );
    Error::content("find the guest in", "the xenstore listing", why)
}
