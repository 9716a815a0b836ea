//! No circle of files inside any crate: a reader who goes from the leaves up never meets a file that needs the one at hand.
//!
//! An arrow goes from a file to the file that a `use` or a path of it names. `mod` lines are no arrows: a room knows its
//! parts. But a re-export is one, from the room to the part; so a part takes nothing by way of its own room.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A file by its place in the crate: `["decode", "trace"]`.
type Module = Vec<String>;

/// The source files below `folder`, but for those of tests.
fn files(folder: &Path, module: &Module, found: &mut BTreeMap<Module, PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = [&module[..], std::slice::from_ref(&name)].concat();
        match (path.extension().and_then(|ending| ending.to_str()), name.as_str()) {
            (None, "bin") => {} // programs of their own, which see the crate from outside
            (None, _) => files(&path, &inner, found),
            (Some("rs"), "mod" | "lib" | "main") => _ = found.insert(module.clone(), path),
            (Some("rs"), name) if name != "tests" => _ = found.insert(inner, path),
            _ => {}
        }
    }
}

/// The paths that a file names, but for those of its tests.
#[derive(Default)]
struct Named(Vec<Vec<String>>);

impl Named {
    fn tree(&mut self, tree: &syn::UseTree, mut path: Vec<String>) {
        match tree {
            syn::UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.tree(&step.tree, path);
            }
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path.clone())),
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                self.0.push([path, vec![ident.to_string()]].concat());
            }
            syn::UseTree::Glob(_) => self.0.push(path),
        }
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.0.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {} // `pub(crate)` takes nothing from the crate

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

/// The file, other than `module` itself, that `path` leads to from there.
fn target(path: &[String], module: &Module, files: &BTreeMap<Module, PathBuf>) -> Option<Module> {
    let mut place = if path[0] == "crate" { Module::new() } else { module.clone() };
    for name in path.iter().skip_while(|name| *name == "crate" || *name == "self") {
        match [&place[..], std::slice::from_ref(name)].concat() {
            _ if name == "super" => _ = place.pop()?,
            inner if files.contains_key(&inner) => place = inner,
            _ => break,
        }
    }
    (place != *module && files.contains_key(&place)).then_some(place)
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let crates = std::fs::read_dir(crate::root().join("crates")).unwrap();
    let sources = crates.map(|entry| entry.unwrap().path().join("src"));
    let mut circles = Vec::new();
    for root in sources.chain(["tests/harness", "benches/load"].map(|root| crate::root().join(root))) {
        let mut found = BTreeMap::new();
        files(&root, &Module::new(), &mut found);
        let mut arrows: BTreeMap<&Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, path) in &found {
            let mut named = Named::default();
            named.visit_file(&syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap());
            arrows.insert(module, named.0.iter().filter_map(|path| target(path, module, &found)).collect());
        }
        // A file from which no arrow goes is in no circle, and neither are the arrows to it. What is left has circles.
        while let Some(leaf) =
            arrows.iter().find(|(_, to)| to.is_empty()).map(|(module, _)| (*module).clone())
        {
            arrows.remove(&leaf);
            arrows.values_mut().for_each(|to| _ = to.remove(&leaf));
        }
        circles.extend(arrows.iter().map(|(module, to)| format!("{}: {module:?} -> {to:?}", root.display())));
    }
    assert!(circles.is_empty(), "in a circle, or using one:\n{}", circles.join("\n"));
}
