//! The keeper as a process of its own: it climbs where it is told to, carries on when the daemon is
//! gone, and ends with it in peace. The machine that it reboots is a directory.

#[cfg(test)]
mod climbs;
