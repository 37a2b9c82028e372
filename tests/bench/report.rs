//! The table of figures and the lines of progress.
//!
//! Not here: measuring.

#[derive(Default)]
pub(crate) struct Report(Vec<(String, String)>);

impl Report {
    pub(crate) fn line(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        let (what, figure) = (what.into(), figure.into());
        say(&format!("{what}: {figure}"));
        self.0.push((what, figure));
    }

    #[expect(clippy::print_stdout, reason = "the result of the program")]
    pub(crate) fn print(&self) {
        println!("| what | measured |\n| --- | --- |");
        for (what, figure) in &self.0 {
            println!("| {what} | {figure} |");
        }
    }
}

/// A line of progress.
pub(crate) fn say(text: &str) {
    eprintln!("bench: {text}");
}
