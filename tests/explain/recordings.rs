//! The kernel logs of real Xen guests, before and after one flush was sent to disks whose backends
//! answer it in every way.

use harness::recordings;
use serde_json::{Value, json};

use crate::setup::explain;

const KERNELS: [&str; 4] = ["5.10", "6.1", "6.12", "7.2"];

fn story(kernel: &str, moment: &str) -> (Option<i32>, Value) {
    let folder = recordings::unpack(kernel, moment).unwrap().unwrap();
    let ran = explain(&["--json", "--root", &folder.path().to_string_lossy()]);
    (ran.code, serde_json::from_slice(&ran.stdout).unwrap())
}

#[test]
fn a_boot_of_every_kernel_is_healthy() {
    for kernel in KERNELS {
        let (code, story) = story(kernel, "before");
        assert_eq!((code, &story["verdict"]), (Some(0), &"healthy".into()), "{kernel}: {story:#}");
        assert_eq!((&story["devices"], &story["advice"]), (&json!([]), &json!([])));
        assert!(story["log"]["kernel_messages"].as_u64() > Some(100), "{story:#}");
    }
}

/// xvdb and xvdd refuse (EOPNOTSUPP), xvdc and xvde answer with an error, the others are healthy.
#[test]
fn a_refused_flush_of_every_kernel_is_told_with_what_that_kernel_does() {
    for kernel in KERNELS {
        let (code, story) = story(kernel, "after");
        assert_eq!((code, &story["verdict"]), (Some(10), &"refused".into()), "{kernel}: {story:#}");
        let devices = story["devices"].as_array().unwrap();
        let mut found: Vec<_> = devices
            .iter()
            .map(|disk| (disk["name"].as_str().unwrap(), disk["findings"][0]["meaning"].as_str()))
            .collect();
        found.sort_unstable();
        let refused = Some("the backend refused a flush or barrier that it had promised");
        let failed = Some("the backend answered a flush with an error");
        let expected = [("xvdb", refused), ("xvdc", failed), ("xvdd", refused), ("xvde", failed)];
        assert_eq!(found, expected, "{kernel}");
        let advice = story["advice"].to_string();
        let is_old = ["5.10", "6.1"].contains(&kernel);
        assert_eq!(advice.contains("queue/write_cache"), is_old, "{kernel}: {advice}");
        assert_eq!(advice.contains("sends no flush any more"), !is_old, "{kernel}: {advice}");
        assert!(devices.iter().all(|disk| disk["kernel"].as_str().unwrap().starts_with(kernel)));
    }
}
