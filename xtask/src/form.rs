//! Rules of form: sizes of files, functions and signatures; what `lib.rs` may hold.

use proc_macro2::Span;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::Finding;
use crate::sources::SourceFile;

const FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;
const ARGUMENTS_MAX: usize = 5;
const TYPE_PARAMETERS_MAX: usize = 2;

/// Checks one file.
pub(crate) fn check(file: &SourceFile) -> eyre::Result<Vec<Finding>> {
    let parsed = syn::parse_file(&file.text)
        .map_err(|error| eyre::eyre!("{} does not parse: {error}", file.path))?;
    let mut visitor = Form {
        file,
        findings: Vec::new(),
        test_lines: 0,
    };
    visitor.visit_file(&parsed);
    let Form {
        mut findings,
        test_lines,
        ..
    } = visitor;
    if file.is_production() {
        let lines = code_lines(&file.text).saturating_sub(test_lines);
        if lines > FILE_LINES_MAX {
            findings.push(Finding::new(
                &file.path,
                format!("{lines} production lines, at most {FILE_LINES_MAX}"),
            ));
        }
        if file.path.ends_with("/src/lib.rs") {
            findings.extend(library_root(file, &parsed));
        }
    }
    Ok(findings)
}

/// `lib.rs` is the crate's table of contents.
fn library_root(file: &SourceFile, parsed: &syn::File) -> Option<Finding> {
    let is_logic = |item: &syn::Item| match item {
        syn::Item::Mod(module) => module.content.is_some() && !is_test(&module.attrs),
        syn::Item::Use(_) | syn::Item::ExternCrate(_) => false,
        _ => true,
    };
    parsed
        .items
        .iter()
        .any(is_logic)
        .then(|| Finding::new(&file.path, "lib.rs holds `mod` and `pub use` only"))
}

/// Lines that are neither empty nor comments.
pub(crate) fn code_lines(text: &str) -> usize {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("//"))
        .count()
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || (attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|argument| argument == "test"))
    })
}

struct Form<'a> {
    file: &'a SourceFile,
    findings: Vec<Finding>,
    test_lines: usize,
}

impl Form<'_> {
    fn lines_of(&self, span: Span) -> usize {
        let (first, last) = (span.start().line, span.end().line);
        let text: Vec<&str> = self
            .file
            .text
            .lines()
            .skip(first - 1)
            .take(last + 1 - first)
            .collect();
        code_lines(&text.join("\n"))
    }

    fn function(&mut self, signature: &syn::Signature, whole: Span) {
        let lines = self.lines_of(whole);
        let arguments = signature
            .inputs
            .iter()
            .filter(|input| matches!(input, syn::FnArg::Typed(_)))
            .count();
        self.limit(signature, lines, FUNCTION_LINES_MAX, "lines");
        self.limit(signature, arguments, ARGUMENTS_MAX, "arguments");
        let parameters = signature.generics.type_params().count();
        self.limit(
            signature,
            parameters,
            TYPE_PARAMETERS_MAX,
            "type parameters",
        );
    }

    fn limit(&mut self, signature: &syn::Signature, found: usize, most: usize, what: &str) {
        if found > most && self.file.is_production() {
            let place = format!("{}:{}", self.file.path, signature.span().start().line);
            let name = &signature.ident;
            self.findings.push(Finding::new(
                place,
                format!("`{name}` has {found} {what}, at most {most}"),
            ));
        }
    }
}

impl<'ast> Visit<'ast> for Form<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_test(&module.attrs) {
            self.test_lines += self.lines_of(module.span());
        } else {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        if is_test(&function.attrs) {
            self.test_lines += self.lines_of(function.span());
            return;
        }
        self.function(&function.sig, function.span());
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, function.span());
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        self.function(&function.sig, function.span());
        visit::visit_trait_item_fn(self, function);
    }
}
