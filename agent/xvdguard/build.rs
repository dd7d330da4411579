//! Links the shipped program without tables for unwinding a stack. Does nothing to a program that
//! unwinds, as those of the tests, nor to a static one, whose C runtime looks for them.

fn main() {
    println!("cargo::rerun-if-changed=no-unwinding.ld");
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let aborts = of("PROFILE") == "release" && of("CARGO_CFG_TARGET_OS") == "linux";
    let is_static = of("CARGO_CFG_TARGET_FEATURE").contains("crt-static");
    if aborts && !is_static {
        let folder = of("CARGO_MANIFEST_DIR");
        println!("cargo::rustc-link-arg-bin=xvdguard=-Wl,-T,{folder}/no-unwinding.ld");
    }
}
