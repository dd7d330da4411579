//! What stands in a Rust file: its functions, and every path, call, macro and attribute.
//!
//! The rules ask these flat lists; only this module and `tokens` know the syntax tree. Code under
//! `#[cfg(test)]` and in `#[test]` functions is marked, not left out: some rules hold there too.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Meta, UseTree};

use crate::tokens;

/// What was found in a file.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Everything that is named, called or attached.
    pub mentions: Vec<Mention>,
    /// The functions with a body.
    pub functions: Vec<Function>,
    /// Names that the file declares as modules or imports from its own crate.
    pub own_names: BTreeSet<String>,
    /// Modules under `#[cfg(test)]` whose text is in another file.
    pub test_modules: Vec<String>,
    /// Line and reason, where the file is not Rust.
    pub broken: Option<(usize, String)>,
}

/// One thing that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// How it is named.
    pub kind: Kind,
    /// `std::fs::read`, `unwrap`, `panic`, or `allow(clippy::panic)` without blanks.
    pub what: String,
    /// Its line.
    pub line: usize,
    /// Whether it is test code.
    pub test: bool,
    /// Whether it is evaluated by the compiler, so that a panic stops the build.
    pub constant: bool,
}

/// How a thing is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path of two parts or more in code.
    Path,
    /// A path in a `use` or an `extern crate`.
    Import,
    /// A method that is called.
    Method,
    /// A macro that is called.
    Macro,
    /// An attribute.
    Attribute,
}

/// One function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its name.
    pub first: usize,
    /// The line of its closing brace.
    pub last: usize,
    /// How deep its blocks of control flow are nested, and the line of the deepest.
    pub depth: (usize, usize),
    /// Whether `#[test]` stands above it.
    pub is_test: bool,
}

/// Looks into the text of a Rust file.
pub fn read(text: &str) -> Facts {
    let mut walk = Walk::default();
    match syn::parse_file(text) {
        Ok(file) => {
            walk.test = file.attrs.iter().any(is_for_tests);
            walk.visit_file(&file);
        }
        Err(why) => walk.facts.broken = Some((why.span().start().line, why.to_string())),
    }
    walk.facts
}

#[derive(Default)]
struct Walk {
    facts: Facts,
    test: bool,
    constant: bool,
    depth: usize,
    deepest: (usize, usize),
}

impl Walk {
    fn mention(&mut self, kind: Kind, what: String, line: usize) {
        let (test, constant) = (self.test, self.constant);
        self.facts.mentions.push(Mention { kind, what, line, test, constant });
    }

    /// Walks on with the mark for test code where one of the attributes says so.
    fn item(&mut self, attributes: &[Attribute], walk_on: impl FnOnce(&mut Self)) {
        let before = self.test;
        self.test |= attributes.iter().any(is_for_tests);
        walk_on(self);
        self.test = before;
    }

    /// Walks on in code that the compiler evaluates, or in a closure, which it does not.
    fn evaluated(&mut self, constant: bool, walk_on: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.constant, constant);
        walk_on(self);
        self.constant = before;
    }

    fn function(
        &mut self,
        attributes: &[Attribute],
        (name, end): (&Ident, Span),
        walk_on: impl FnOnce(&mut Self),
    ) {
        let (depth, deepest) = (self.depth, self.deepest);
        (self.depth, self.deepest) = (0, (0, line(name.span())));
        self.item(attributes, walk_on);
        self.facts.functions.push(Function {
            name: name.to_string(),
            first: line(name.span()),
            last: end.end().line,
            depth: self.deepest,
            is_test: attributes.iter().any(|attribute| attribute.path().is_ident("test")),
        });
        (self.depth, self.deepest) = (depth, deepest);
    }

    /// Walks on one block of control flow deeper.
    fn deeper(&mut self, keyword: Span, walk_on: impl FnOnce(&mut Self)) {
        self.depth += 1;
        if self.depth > self.deepest.0 {
            self.deepest = (self.depth, line(keyword));
        }
        walk_on(self);
        self.depth -= 1;
    }

    /// One `use`: every path that it spells out, and the names it takes from this crate.
    fn import(&mut self, before: &str, tree: &UseTree) {
        let (last, name) = match tree {
            UseTree::Path(path) => {
                return self.import(&format!("{before}{}::", path.ident), &path.tree);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.import(before, tree));
            }
            UseTree::Name(name) => (&name.ident, &name.ident),
            UseTree::Rename(rename) => (&rename.ident, &rename.rename),
            UseTree::Glob(glob) => {
                let line = line(glob.star_token.spans[0]);
                return self.mention(Kind::Import, format!("{before}*"), line);
            }
        };
        let is_own = ["crate::", "self::", "super::"].iter().any(|own| before.starts_with(own));
        if is_own {
            self.facts.own_names.insert(name.to_string());
        }
        let what = format!("{before}{last}");
        let what = what.strip_suffix("::self").unwrap_or(&what).to_owned();
        self.mention(Kind::Import, what, line(last.span()));
    }
}

impl<'ast> Visit<'ast> for Walk {
    fn visit_item(&mut self, item: &'ast Item) {
        self.item(attributes(item), |walk| visit::visit_item(walk, item));
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let place = (&item.sig.ident, item.block.brace_token.span.close());
        self.function(&item.attrs, place, |walk| visit::visit_item_fn(walk, item));
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let place = (&item.sig.ident, item.block.brace_token.span.close());
        self.function(&item.attrs, place, |walk| visit::visit_impl_item_fn(walk, item));
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let Some(block) = &item.default else { return visit::visit_trait_item_fn(self, item) };
        let place = (&item.sig.ident, block.brace_token.span.close());
        self.function(&item.attrs, place, |walk| visit::visit_trait_item_fn(walk, item));
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.facts.own_names.insert(item.ident.to_string());
        if item.content.is_none() && self.test {
            self.facts.test_modules.push(item.ident.to_string());
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import("", &item.tree);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        self.mention(Kind::Import, item.ident.to_string(), line(item.ident.span()));
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.evaluated(true, |walk| visit::visit_item_const(walk, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.evaluated(true, |walk| visit::visit_impl_item_const(walk, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.evaluated(true, |walk| visit::visit_item_static(walk, item));
    }

    fn visit_expr_const(&mut self, expr: &'ast syn::ExprConst) {
        self.evaluated(true, |walk| visit::visit_expr_const(walk, expr));
    }

    fn visit_expr_closure(&mut self, expr: &'ast syn::ExprClosure) {
        self.evaluated(false, |walk| visit::visit_expr_closure(walk, expr));
    }

    fn visit_expr_if(&mut self, expr: &'ast syn::ExprIf) {
        self.visit_expr(&expr.cond);
        self.deeper(expr.if_token.span, |walk| walk.visit_block(&expr.then_branch));
        match &expr.else_branch {
            Some((_, other)) if matches!(**other, Expr::If(_)) => self.visit_expr(other),
            Some((word, other)) => self.deeper(word.span, |walk| walk.visit_expr(other)),
            None => {}
        }
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        self.visit_expr(&expr.expr);
        self.deeper(expr.match_token.span, |walk| {
            expr.arms.iter().for_each(|arm| walk.visit_arm(arm));
        });
    }

    fn visit_expr_while(&mut self, expr: &'ast syn::ExprWhile) {
        self.visit_expr(&expr.cond);
        self.deeper(expr.while_token.span, |walk| walk.visit_block(&expr.body));
    }

    fn visit_expr_for_loop(&mut self, expr: &'ast syn::ExprForLoop) {
        self.visit_expr(&expr.expr);
        self.deeper(expr.for_token.span, |walk| walk.visit_block(&expr.body));
    }

    fn visit_expr_loop(&mut self, expr: &'ast syn::ExprLoop) {
        self.deeper(expr.loop_token.span, |walk| walk.visit_block(&expr.body));
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.mention(Kind::Method, call.method.to_string(), line(call.method.span()));
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(last) = call.path.segments.last() {
            self.mention(Kind::Macro, last.ident.to_string(), line(last.ident.span()));
        }
        visit::visit_macro(self, call);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.mention(Kind::Path, joined(path), line(path.segments[0].ident.span()));
        }
        visit::visit_path(self, path);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        let inside = match &attribute.meta {
            Meta::List(list) => format!("({})", without_blanks(&list.tokens)),
            _ => String::new(),
        };
        let what = format!("{}{inside}", joined(attribute.path()));
        self.mention(Kind::Attribute, what, line(attribute.pound_token.span));
        visit::visit_attribute(self, attribute);
    }

    fn visit_token_stream(&mut self, stream: &'ast TokenStream) {
        for (kind, what, span) in tokens::scan(stream) {
            self.mention(kind, what, line(span));
        }
    }
}

fn line(span: Span) -> usize {
    span.start().line
}

fn joined(path: &syn::Path) -> String {
    let parts: Vec<String> = path.segments.iter().map(|part| part.ident.to_string()).collect();
    parts.join("::")
}

fn without_blanks(stream: &TokenStream) -> String {
    stream.to_string().split_whitespace().collect()
}

/// Whether code under this attribute is compiled for tests only.
fn is_for_tests(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = without_blanks(&list.tokens);
            condition == "test" || condition.starts_with("all(test,")
        }
        meta => meta.path().is_ident("test"),
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
