//! No circle of files inside any crate: a reader who goes from the leaves up never meets a file that needs the one at hand.
//!
//! An arrow goes from a file to the file that a `use` or a path of it names. `mod` lines are no arrows: a room knows its
//! parts. But a re-export is one, from the room to the part; so a part takes nothing by way of its own room.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Source files by their module, such as `crate::decode::trace`.
type Files = BTreeMap<String, PathBuf>;

/// Finds the source files below `folder`, but for those of tests.
fn find(folder: &Path, module: &str, found: &mut Files) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let inner = format!("{module}::{name}");
        match (path.extension().and_then(|ending| ending.to_str()), name) {
            (None, "bin") => {} // programs of their own, which see the crate from outside
            (None, _) => find(&path, &inner, found),
            (Some("rs"), "mod" | "lib" | "main") => _ = found.insert(module.to_owned(), path),
            (Some("rs"), name) if name != "tests" => _ = found.insert(inner, path),
            _ => {}
        }
    }
}

/// The paths that a file names, but for those of its tests.
#[derive(Default)]
struct Named(Vec<String>);

impl Named {
    fn tree(&mut self, tree: &syn::UseTree, path: &str) {
        match tree {
            syn::UseTree::Path(step) => self.tree(&step.tree, &format!("{path}{}::", step.ident)),
            syn::UseTree::Group(group) => group.items.iter().for_each(|tree| self.tree(tree, path)),
            syn::UseTree::Name(last) => self.0.push(format!("{path}{}", last.ident)),
            syn::UseTree::Rename(last) => self.0.push(format!("{path}{}", last.ident)),
            syn::UseTree::Glob(_) => self.0.push(path.to_owned()),
        }
    }
}

impl<'ast> Visit<'ast> for Named {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, "");
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.0.push(names.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {} // `pub(crate)` takes nothing from the crate

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.ident != "tests" {
            visit::visit_item_mod(self, item);
        }
    }
}

/// The module, other than `module` itself, whose file `path` leads to from there.
fn target(path: &str, module: &str, files: &Files) -> Option<String> {
    let mut place = if path.starts_with("crate::") { "crate" } else { module }.to_owned();
    for name in path.split("::").skip_while(|name| ["crate", "self"].contains(name)) {
        match format!("{place}::{name}") {
            _ if name == "super" => place = place.rsplit_once("::")?.0.to_owned(),
            inner if files.contains_key(&inner) => place = inner,
            _ => break,
        }
    }
    (place != module && files.contains_key(&place)).then_some(place)
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let crates = std::fs::read_dir(crate::root().join("crates")).unwrap();
    let sources = crates.map(|entry| entry.unwrap().path().join("src"));
    for root in sources.chain(["tests/harness", "benches/load"].map(|root| crate::root().join(root))) {
        let mut files = Files::new();
        find(&root, "crate", &mut files);
        let arrows = files.iter().map(|(module, file)| {
            let mut named = Named::default();
            named.visit_file(&syn::parse_file(&std::fs::read_to_string(file).unwrap()).unwrap());
            (module, named.0.iter().filter_map(|path| target(path, module, &files)).collect())
        });
        let mut arrows: BTreeMap<_, BTreeSet<_>> = arrows.collect();
        // A file from which no arrow goes is in no circle, and neither are the arrows to it. What is left has circles.
        while let Some(leaf) = arrows.iter().find_map(|(&leaf, to)| to.is_empty().then_some(leaf)) {
            arrows.remove(leaf);
            arrows.values_mut().for_each(|to| _ = to.remove(leaf));
        }
        assert!(arrows.is_empty(), "in a circle, or using one: {}: {arrows:#?}", root.display());
    }
}
