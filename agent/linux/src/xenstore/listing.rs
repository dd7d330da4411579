//! A saved listing, as `xenstore-ls -f` prints it, in the place of a live xenstore.
//!
//! Relative lines are the guest's own (`xenstore-ls -f device`, taken inside); in a listing of the
//! whole store the guest is found (`home`). Nothing can be written. Tests: below, with what
//! xenstore-ls 4.17 printed.

mod home;
mod line;

use std::collections::BTreeMap;

use xvdguard_logic::text::Text;

use self::line::Line;
use super::error::{Cause, Result};
use super::request::{Answer, Request};

/// The nodes of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    nodes: BTreeMap<Text, Node>,
    home: Option<Text>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Node {
    value: Value,
    /// In the order of the lines, which is that of the server.
    children: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Is(Text),
    /// Who took the listing was not allowed to read it.
    Unreadable,
}

/// A node that only its children show has most likely no value.
impl Default for Value {
    fn default() -> Self {
        Value::Is(Text::default())
    }
}

impl Listing {
    /// Reads a listing. `uuid` is that of this guest (`/sys/hypervisor/uuid`), where it is known:
    /// it decides whose listing it is, where several guests have disks.
    pub fn parse(bytes: &[u8], uuid: Option<&Text>) -> crate::error::Result<Listing> {
        let mut nodes = BTreeMap::new();
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            let failed = |why| crate::error::Error::content("understand", place(number), why);
            match line::parse(line).map_err(failed)? {
                Line::Node { path, value } => node_at(&mut nodes, &path).value = value,
                Line::Nothing => {}
            }
        }
        let home = home::find(&nodes, uuid)?;
        Ok(Listing { nodes, home })
    }

    /// Answers one request.
    pub fn answer(&self, request: &Request) -> Result<Answer> {
        let refused = |name: &str| Err(request.failed(Cause::Server(Text::from(name))));
        request.to_message().map_err(|why| request.failed(Cause::Limit(why)))?;
        match (self.node(request.path()), request) {
            (None, Request::Read(_) | Request::Directory(_)) => refused("ENOENT"),
            (Some(node), Request::Directory(_)) => Ok(Answer::Names(node.children.clone())),
            (Some(node), Request::Read(_)) => match &node.value {
                Value::Is(value) => Ok(Answer::Value(value.clone())),
                Value::Unreadable => refused("EACCES"),
            },
            _ => refused("EROFS"),
        }
    }

    /// A relative path is looked up as it is, then below the guest's home.
    fn node(&self, path: &Text) -> Option<&Node> {
        let at_home = || {
            let home = self.home.as_ref().filter(|_| !path.starts_with("/"))?;
            self.nodes.get(&child(home, path))
        };
        self.nodes.get(path).or_else(at_home)
    }
}

fn place(number: usize) -> String {
    format!("line {number} of the xenstore listing")
}

fn child(parent: &Text, name: &Text) -> Text {
    Text::from([parent.as_bytes(), b"/", name.as_bytes()].concat())
}

/// The node at a path; where it is new, the nodes above it get to know it.
fn node_at<'a>(nodes: &'a mut BTreeMap<Text, Node>, path: &Text) -> &'a mut Node {
    if !nodes.contains_key(path) {
        nodes.insert(path.clone(), Node::default());
        if let Some((parent, name)) = split(path) {
            node_at(nodes, &parent).children.push(name);
        }
    }
    nodes.entry(path.clone()).or_default()
}

/// The path above, and the last name. Above a relative path of one name there is nothing.
fn split(path: &Text) -> Option<(Text, Text)> {
    let bytes = path.as_bytes();
    let at = bytes.iter().rposition(|byte| *byte == b'/')?;
    let (parent, name) = (&bytes[..at.max(1)], &bytes[at + 1..]);
    (!name.is_empty()).then(|| (Text::from(parent), Text::from(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "aeb329f7-6d7a-4164-ba74-1b6e5bd7036d";

    fn parse(text: &str) -> Listing {
        Listing::parse(text.as_bytes(), None).unwrap()
    }

    fn read(listing: &Listing, path: &str) -> Result<Text> {
        listing.answer(&Request::read(path)).map(|answer| answer.value().unwrap())
    }

    fn names(listing: &Listing, path: &str) -> Vec<Text> {
        listing.answer(&Request::directory(path)).unwrap().names().unwrap()
    }

    /// A host with domains that have a disk each.
    fn host(domains: &[u32]) -> String {
        let mut text = "/local/domain/0/name = \"Domain-0\"\n".to_owned();
        for domain in domains {
            let home = format!("/local/domain/{domain}");
            text += &format!("{home}/vm = \"/vm/{}{domain}\"\n", &UUID[..UUID.len() - 1]);
            text += &format!("{home}/device/vbd/51712/state = \"{domain}\"   (n{domain},r0)\n");
        }
        text
    }

    #[test]
    fn a_guest_and_its_backend_are_read_as_they_were_printed() {
        let listing = parse(
            "device/vbd/51728/state = \"4\"   (n1,r0)\n\
             device/vbd/51712/backend = \"/local/domain/0/backend/vbd/1/51712\"   (n1,r0)\n\
             /local/domain/0/backend/vbd/1/51712/params = \"/dev/mapper/san\"   (n0,r1)\n\
             /local/domain/0/backend/vbd/1/51712/secret:\n",
        );
        let backend = read(&listing, "device/vbd/51712/backend").unwrap();
        assert_eq!(read(&listing, &format!("{backend}/params")).unwrap(), "/dev/mapper/san");
        assert_eq!(names(&listing, "device/vbd"), ["51728", "51712"]);
        assert_eq!(names(&listing, "device/vbd/51728/state"), [""; 0]);
        assert_eq!(read(&listing, "device").unwrap(), "");
        assert!(read(&listing, "device/vif").unwrap_err().is_missing());
        assert!(read(&listing, &format!("{backend}/secret")).unwrap_err().is_permission());
        let write = Request::Write("data/a".into(), "1".into());
        assert!(listing.answer(&write).unwrap_err().is_permission());
    }

    #[test]
    fn the_only_domain_with_disks_is_the_guest() {
        let listing = parse(&host(&[7]));
        assert_eq!(read(&listing, "device/vbd/51712/state").unwrap(), "7");
        assert_eq!(names(&listing, "/local/domain"), ["0", "7"]);
        assert_eq!(names(&listing, "/"), ["local"]);
        assert!(read(&parse(&host(&[])), "device/vbd/51712/state").unwrap_err().is_missing());
    }

    #[test]
    fn of_several_domains_the_uuid_names_the_guest() {
        let text = host(&[7, 8]);
        let uuid = Text::from(format!("{}8\n", &UUID[..UUID.len() - 1].to_uppercase()));
        let listing = Listing::parse(text.as_bytes(), Some(&uuid)).unwrap();
        assert_eq!(read(&listing, "device/vbd/51712/state").unwrap(), "8");
        let error = Listing::parse(text.as_bytes(), None).unwrap_err().to_string();
        assert!(error.contains("/local/domain/7 and /local/domain/8 have disks"), "{error}");
        let with_own_lines = format!("device/vbd/1/state = \"4\"\n{text}");
        assert_eq!(read(&parse(&with_own_lines), "device/vbd/1/state").unwrap(), "4");
    }

    #[test]
    fn a_broken_line_is_named_by_its_number() {
        let error = Listing::parse(b"/a = \"1\"\n\n/b\n", None).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot understand line 3 of the xenstore listing: it is not of the form: \
             path = \"value\"; save it again with: xenstore-ls -f > FILE"
        );
    }
}
