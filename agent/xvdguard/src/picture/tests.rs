//! What a picture shows, by its text; how it looks was judged by people who rendered it.

use xvdguard_logic::block::BlockTree;
use xvdguard_logic::explain::Explainer;

use super::svg;

fn picture(log: &str) -> String {
    let mut explainer = Explainer::new(BlockTree::default(), None);
    explainer.take(log.as_bytes());
    svg(&explainer.finish())
}

/// The texts of the elements, in their order.
fn texts(svg: &str) -> Vec<&str> {
    let opened = svg.split("<text ").skip(1);
    opened
        .filter_map(|rest| rest.split_once('>')?.1.split_once("</text>"))
        .map(|text| text.0)
        .collect()
}

/// What stands between angle brackets.
fn tags(svg: &str) -> impl Iterator<Item = &str> {
    svg.split('<').skip(1).filter_map(|rest| Some(rest.split_once('>')?.0))
}

const REFUSED_3_2: &str = "\
[    3.801589] blkfront: barrier: write xvda2 op failed
[    3.801597] blkfront: xvda2: barrier or flush: disabled
[    3.801611] end_request: I/O error, dev xvda2, sector 52171168
[    3.801755] Aborting journal on device xvda2.
[    3.804415] EXT3-fs (xvda2): error: ext3_journal_start_sb: Detected aborted journal
[    3.804434] EXT3-fs (xvda2): error: remounting filesystem read-only
";

#[test]
fn it_tells_device_time_and_first_cause() {
    let svg = picture(REFUSED_3_2);
    let texts = texts(&svg);
    assert_eq!(texts[0], "aborted: a file system is dead until it is mounted anew");
    for text in ["xvda2", "aborted", "▼ first cause", "3.801589 s", "What was said", "6"] {
        assert!(texts.contains(&text), "{text} is not in {texts:#?}");
    }
    let numbers: Vec<_> = texts.iter().filter(|text| text.starts_with("line ")).collect();
    assert_eq!(numbers.len(), 7, "the head and six findings: {numbers:#?}");
    assert_eq!(svg.matches("class=\"cause\"").count(), 2, "a ring and a line");
}

#[test]
fn the_same_story_is_the_same_picture() {
    assert_eq!(picture(REFUSED_3_2), picture(REFUSED_3_2));
}

#[test]
fn a_healthy_log_has_nothing_to_draw() {
    let svg = picture("[    1.000000] Linux version 6.1.0 (a@b)\n");
    let expected = "Nothing of the storage failed in this log, so there is nothing to draw.";
    assert!(texts(&svg).contains(&expected), "{svg}");
    assert!(!svg.contains("<line"), "{svg}");
}

#[test]
fn a_flood_is_one_mark_with_its_count() {
    let line =
        |n: u32| format!("[{:5}.000000] Buffer I/O error on dev xvda1, logical block {n}\n", n);
    let svg = picture(&(1..=10_000).map(line).collect::<String>());
    assert!(texts(&svg).contains(&"1 ×10,000"), "{svg}");
    assert!(svg.len() < 10_000, "{} bytes", svg.len());
}

#[test]
fn every_device_has_its_row_and_the_list_stays_short() {
    let line = |n: u32| {
        format!(
            "[{n:5}.000000] I/O error, dev sd{n}, sector 1 op 0x1:(WRITE) flags 0x0 phys_seg 1 \
                 prio class 0\n[{n:5}.100000] Aborting journal on device sd{n}-8.\n"
        )
    };
    let svg = picture(&(1..=60).map(line).collect::<String>());
    let texts = texts(&svg);
    assert!((1..=60).all(|n| texts.contains(&format!("sd{n}").as_str())), "{texts:#?}");
    let more = "and 80 more messages: xvdguard explain -v";
    assert!(texts.contains(&more), "{texts:#?}");
}

#[test]
fn whatever_the_log_holds_the_picture_runs_and_fetches_nothing() {
    let svg = picture(
        "EXT4-fs error (device xvda1): f:1: comm <script>: </text><image href='http://x'/>\u{0}\n\
         REISERFS abort (device xvda2): ]]>&amp;<style>@import url(http://y)</style>\n",
    );
    let names =
        ["?xml", "svg", "title", "style", "rect", "text", "line", "polyline", "circle", "g"];
    for tag in tags(&svg) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(names.contains(&name) && !tag.contains("href") && !tag.contains(" on"), "{tag}");
    }
    let style =
        svg.split_once("<style>").and_then(|(_, rest)| rest.split_once("</style>")).unwrap();
    assert!(!style.0.contains("url") && !style.0.contains('@'), "{}", style.0);
    assert_eq!(svg.matches("<style>").count(), 1);
}

#[test]
fn every_element_that_begins_ends() {
    let svg = picture(REFUSED_3_2);
    let mut open: Vec<&str> = Vec::new();
    for tag in tags(&svg).filter(|tag| !tag.starts_with('?')) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) => assert_eq!(open.pop(), Some(name)),
            (false, false) => open.push(name),
            (false, true) => {}
        }
    }
    assert_eq!(open, [] as [&str; 0]);
}
