//! What the daemon tells the keeper: one message of fixed size for each order.

/// Room for the names of dead disks, each ended by a newline.
pub const DEAD_BYTES: usize = 96;
/// A kind, three numbers, the names.
pub const BYTES: usize = 1 + 3 * 8 + DEAD_BYTES;
/// So many disks can be watched over.
pub const MOST_DEVICES: usize = 8;

/// What is to be done, and when by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Nothing, also without the daemon.
    Disarm,
    /// Reboot once the conditions hold, if the daemon is gone by then. The message carries the
    /// devices, opened: at least one, and at most `MOST_DEVICES`.
    Arm(Terms),
    /// Reboot now.
    Climb(Terms),
    /// End: the daemon ends in peace.
    End,
}

/// The conditions of a reboot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// How long the orderly shutdown may take.
    pub orderly_ms: u64,
    /// Not before this time since boot: the minimum uptime, and the jitter.
    pub not_before_ms: u64,
    /// How long all devices must have answered.
    pub settle_ms: u64,
    /// Names of dead disks, each ended by a newline, the rest zeros.
    pub dead: [u8; DEAD_BYTES],
}

impl Terms {
    /// Puts as many names in as there is room for.
    pub fn with_dead<'a>(mut self, names: impl Iterator<Item = &'a [u8]>) -> Terms {
        let mut length = 0;
        for name in names {
            let end = length + name.len();
            if end < DEAD_BYTES {
                self.dead[length..end].copy_from_slice(name);
                self.dead[end] = b'\n';
                length = end + 1;
            }
        }
        self
    }
}

impl Order {
    /// As it is sent.
    pub fn to_bytes(self) -> [u8; BYTES] {
        let (kind, terms) = match self {
            Order::Disarm => (b'd', None),
            Order::Arm(terms) => (b'a', Some(terms)),
            Order::Climb(terms) => (b'c', Some(terms)),
            Order::End => (b'e', None),
        };
        let mut bytes = [0; BYTES];
        bytes[0] = kind;
        let Some(terms) = terms else { return bytes };
        let numbers = [terms.orderly_ms, terms.not_before_ms, terms.settle_ms];
        for (index, number) in numbers.into_iter().enumerate() {
            bytes[1 + 8 * index..9 + 8 * index].copy_from_slice(&number.to_ne_bytes());
        }
        bytes[BYTES - DEAD_BYTES..].copy_from_slice(&terms.dead);
        bytes
    }

    /// What was sent; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Order> {
        let bytes: &[u8; BYTES] = bytes.try_into().ok()?;
        let number = |index: usize| {
            let bytes = bytes[1 + 8 * index..9 + 8 * index].try_into();
            bytes.map_or(0, u64::from_ne_bytes)
        };
        let mut dead = [0; DEAD_BYTES];
        dead.copy_from_slice(&bytes[BYTES - DEAD_BYTES..]);
        let terms =
            Terms { orderly_ms: number(0), not_before_ms: number(1), settle_ms: number(2), dead };
        match bytes[0] {
            b'd' => Some(Order::Disarm),
            b'a' => Some(Order::Arm(terms)),
            b'c' => Some(Order::Climb(terms)),
            b'e' => Some(Order::End),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_arrives_as_it_was_given() {
        let terms =
            Terms { orderly_ms: 1, not_before_ms: u64::MAX, settle_ms: 3, dead: [0; DEAD_BYTES] };
        let terms = terms.with_dead([&b"xvda"[..], b"xvdb2"].into_iter());
        assert!(terms.dead.starts_with(b"xvda\nxvdb2\n\0"));
        for order in [Order::Disarm, Order::Arm(terms), Order::Climb(terms), Order::End] {
            assert_eq!(Order::from_bytes(&order.to_bytes()), Some(order));
        }
        assert_eq!(Order::from_bytes(b"a"), None);
        assert_eq!(Order::from_bytes(&[b'x'; BYTES]), None);
    }

    #[test]
    fn names_that_do_not_fit_are_left_out_whole() {
        let terms = Terms { orderly_ms: 0, not_before_ms: 0, settle_ms: 0, dead: [0; DEAD_BYTES] };
        let long = [b'x'; DEAD_BYTES];
        let terms = terms.with_dead([&long[..], b"xvda"].into_iter());
        assert!(terms.dead.starts_with(b"xvda\n\0"));
    }
}
