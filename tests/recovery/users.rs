//! Services of a volume: stopped, started again, and what happens where that fails.
//!
//! systemctl is a script that plays one service; what systemd itself does is shown on the bed.

use harness::requires;

use crate::stage::{AT, Stage};

/// One service that declares the volume. `/run/wait-VERB` makes a verb wait for `/run/go-on`,
/// `/run/fail-VERB` makes it fail.
const SYSTEMCTL: &str = r#"verb=$1
if [ -e /run/wait-$verb ]; then
    echo $verb >>/run/waits
    while [ ! -e /run/go-on ]; do sleep 0.05; done
fi
echo "$*" >>/run/asked
[ ! -e /run/fail-$verb ] || { echo "Job for db.service failed." >&2; exit 1; }
case $verb in
list-units) ! grep -q '^active' /run/unit || echo "db.service loaded active running A database" ;;
show)
    while [ "$1" != -- ]; do shift; done
    shift
    for unit; do
        echo "Id=$unit"
        if [ "$unit" = db.service ]; then
            echo "ActiveState=$(cat /run/unit)"
            echo "LoadState=loaded"
            echo "WorkingDirectory=/run/srv/db"
        else
            echo "LoadState=not-found"
        fi
        echo
    done
    ;;
stop) echo inactive >/run/unit ;;
start) echo active >/run/unit ;;
esac"#;

/// A watched volume with a service on it.
pub fn with_service() -> Option<Stage> {
    requires::faulty_disk("ext4")?;
    requires::program("systemctl")?;
    let mut stage = Stage::new("ext4");
    stage.guest.run("mkdir -p /run/systemd/system && echo active >/run/unit").unwrap();
    stage.put_program("systemctl", SYSTEMCTL);
    stage.watch();
    Some(stage)
}

fn unit(stage: &Stage) -> String {
    stage.guest.run("cat /run/unit").unwrap().trim().to_owned()
}

#[test]
fn a_service_is_stopped_and_started_again() {
    let Some(stage) = with_service() else { return };
    stage.outage();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
    assert_eq!(unit(&stage), "active");
    let asked = stage.guest.run("cat /run/asked").unwrap();
    assert!(asked.contains("stop -- db.service\n"), "{asked}");
    assert!(asked.contains("start -- db.service\n"), "{asked}");
    assert!(!asked.contains(".target"), "{asked}");
}

#[test]
fn a_service_that_does_not_start_is_told_once_and_the_volume_is_back() {
    let Some(stage) = with_service() else { return };
    stage.guest.run(": >/run/fail-start").unwrap();
    stage.outage();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
    let said = stage.said();
    let told: Vec<&str> = said.lines().filter(|line| line.contains("db.service")).collect();
    assert!(told.iter().any(|line| line.contains("start")), "{said}");
}

#[test]
fn a_service_that_does_not_stop_keeps_its_volume_as_it_was() {
    let Some(stage) = with_service() else { return };
    stage.guest.run(": >/run/fail-stop").unwrap();
    stage.outage();
    stage.until_health("given-up");
    assert_eq!(unit(&stage), "active");
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    let asked = stage.guest.run("cat /run/asked").unwrap();
    // Whatever the failed stop may have stopped is started again.
    assert!(asked.contains("start -- db.service\n"), "{asked}");
}

#[test]
fn users_that_were_stopped_are_not_started_where_the_mount_fails() {
    let Some(stage) = with_service() else { return };
    stage.put_program("mount", "echo no >&2; exit 32");
    stage.outage();
    stage.until_health("given-up");
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_err());
    // It would write below the mount point.
    assert_eq!(unit(&stage), "inactive");
    let asked = stage.guest.run("cat /run/asked").unwrap();
    assert!(!asked.contains("start -- ") && !asked.contains(".target"), "{asked}");
    let said = stage.said();
    let told = said.lines().filter(|line| line.contains("given-up: "));
    assert_eq!(told.clone().count(), 1, "{said}");
    // The person is told what is down.
    assert!(told.clone().all(|line| line.contains("db.service")), "{said}");
}
