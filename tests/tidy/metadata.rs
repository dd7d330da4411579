//! What cargo knows: the packages, who depends on whom, under which licence.
//!
//! From `cargo metadata` for this machine's target, with the lock file as it is.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::tree;

/// One package of the graph.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// Unique in the graph.
    pub id: String,
    /// As in Cargo.toml.
    pub name: String,
    /// The whole version.
    pub version: String,
    /// The licence expression, where the package states one.
    pub licence: Option<String>,
    /// For crates of this workspace: the folder from the root of the repository.
    pub folder: Option<String>,
    /// Whether it runs inside the compiler.
    pub is_macro: bool,
    /// What its Cargo.toml asks for.
    pub dependencies: Vec<Dependency>,
    /// The packages that this resolved to, and whether for more than tests and building.
    pub edges: Vec<(String, bool)>,
}

/// One line under `[dependencies]` or its like.
#[derive(Debug, Clone, Default)]
pub struct Dependency {
    /// The package's name.
    pub name: String,
    /// The name in Rust.
    pub import: String,
    /// Under `[dependencies]`, not for tests or building.
    pub is_normal: bool,
    /// Whether it is a crate of this workspace.
    pub is_ours: bool,
    /// The versions that will do.
    pub versions: String,
}

/// The packages, asked for on first use.
pub fn packages() -> Result<&'static [Package], &'static str> {
    static PACKAGES: OnceLock<Result<Vec<Package>, String>> = OnceLock::new();
    PACKAGES.get_or_init(ask).as_deref().map_err(String::as_str)
}

/// The crates of this workspace, each with its folder.
pub fn members(packages: &[Package]) -> impl Iterator<Item = (&Package, &str)> {
    packages.iter().filter_map(|package| Some((package, package.folder.as_deref()?)))
}

/// The line of Cargo.lock on which a package begins, 1 where it is not found.
pub fn line_in_lock(lock: &str, package: &Package) -> usize {
    let name = format!("name = \"{}\"", package.name);
    let version = format!("version = \"{}\"", package.version);
    let lines: Vec<&str> = lock.lines().collect();
    lines.windows(2).position(|pair| pair == [&name, &version]).map_or(1, |index| index + 1)
}

fn ask() -> Result<Vec<Package>, String> {
    let version = cargo(&["-vV"])?;
    let target = version.lines().find_map(|line| line.strip_prefix("host: "));
    let target = target.ok_or("cargo -vV names no host")?;
    let options = ["metadata", "--format-version", "1", "--locked", "--filter-platform", target];
    let json = serde_json::from_str(&cargo(&options)?).map_err(|why| why.to_string())?;
    Ok(read(&json))
}

fn cargo(options: &[&str]) -> Result<String, String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(program).args(options).current_dir(tree::root()).output();
    let output = output.map_err(|why| format!("cannot run cargo: {why}"))?;
    let [out, err] =
        [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    if output.status.success() { Ok(out) } else { Err(format!("cargo {}: {err}", options[0])) }
}

fn read(json: &Value) -> Vec<Package> {
    let top = text(&json["workspace_root"]);
    let is_member = |id: &str| list(&json["workspace_members"]).iter().any(|one| one == id);
    let mut packages = Vec::new();
    for value in list(&json["packages"]) {
        let id = text(&value["id"]);
        let file = text(&value["manifest_path"]);
        let folder = Path::new(&file).parent().and_then(|folder| folder.strip_prefix(&top).ok());
        let folder = folder.map(|folder| folder.display().to_string());
        packages.push(Package {
            name: text(&value["name"]),
            version: text(&value["version"]),
            licence: value["license"].as_str().map(str::to_owned),
            folder: folder.filter(|_| is_member(&id)),
            is_macro: list(&value["targets"])
                .iter()
                .any(|target| has(&target["kind"], "proc-macro")),
            dependencies: list(&value["dependencies"]).iter().map(dependency).collect(),
            edges: edges(json, &id),
            id,
        });
    }
    packages
}

fn dependency(value: &Value) -> Dependency {
    let name = text(&value["name"]);
    Dependency {
        import: value["rename"].as_str().unwrap_or(&name).replace('-', "_"),
        is_normal: value["kind"].is_null(),
        is_ours: value["path"].is_string(),
        versions: text(&value["req"]),
        name,
    }
}

fn edges(json: &Value, id: &str) -> Vec<(String, bool)> {
    let node = list(&json["resolve"]["nodes"]).iter().find(|node| node["id"] == id);
    let edges = node.map_or(&[][..], |node| list(&node["deps"]));
    let is_normal =
        |edge: &Value| list(&edge["dep_kinds"]).iter().any(|kind| kind["kind"].is_null());
    edges.iter().map(|edge| (text(&edge["pkg"]), is_normal(edge))).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn has(value: &Value, word: &str) -> bool {
    list(value).iter().any(|one| one == word)
}

#[test]
fn cargo_knows_this_crate_and_what_it_asks_for() {
    let packages = packages().unwrap();
    let (tests, folder) = members(packages).find(|one| one.0.name == "xvdguard-tests").unwrap();
    assert_eq!(folder, "tests");
    let json = tests.dependencies.iter().find(|one| one.name == "serde_json").unwrap();
    assert!(json.is_normal && !json.is_ours && json.import == "serde_json");
    let syn = tests.dependencies.iter().find(|one| one.name == "syn").unwrap();
    assert!(!syn.is_normal);
    assert!(tests.edges.len() >= tests.dependencies.len());
}

#[test]
fn a_package_has_its_place_in_the_lock() {
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\n\
                version = \"2.0.0\"\n";
    let package = Package { name: "a".into(), version: "2.0.0".into(), ..Package::default() };
    assert_eq!(line_in_lock(lock, &package), 6);
}
