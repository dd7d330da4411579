//! Shapes and escaped text as SVG, with nothing that a viewer would have to fetch or run.

use std::fmt::{Display, Write};

/// A point, in pixels from the upper left corner.
pub type Point = (f64, f64);

/// A drawing in the making.
#[derive(Debug, Default)]
pub struct Svg {
    body: String,
}

/// Generic families only: every viewer has them.
const STYLE: &str = "\
text{font-family:sans-serif;font-size:13px;fill:#222}\
.title{font-size:18px;font-weight:bold}\
.strong{font-weight:bold}\
.small{font-size:11px;fill:#555}\
.said{font-family:monospace;font-size:11px;fill:#555}\
.middle{text-anchor:middle}\
.end{text-anchor:end}\
.rule{stroke:#ccc;stroke-width:1}\
.axis{stroke:#555;stroke-width:1}\
.boot{stroke:#555;stroke-width:1;stroke-dasharray:2 3}\
.cause{stroke:#000;stroke-width:1.5;stroke-dasharray:5 3;fill:none}\
.again{stroke:#555;stroke-width:2}";

impl Svg {
    /// Text from outside or ours; every character that means something in XML is escaped.
    pub fn text(&mut self, (x, y): Point, class: &str, text: &str) {
        let text = Escaped(text);
        self.add(format_args!(
            "<text xml:space=\"preserve\" class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
        ));
    }

    /// A straight line.
    pub fn line(&mut self, (x1, y1): Point, (x2, y2): Point, class: &str) {
        self.add(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A filled rectangle.
    pub fn rectangle(&mut self, (x, y): Point, (width, height): Point, fill: &str) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             fill=\"{fill}\"/>"
        ));
    }

    /// A circle; `paint` are attributes.
    pub fn circle(&mut self, (x, y): Point, radius: f64, paint: &str) {
        self.add(format_args!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius:.1}\" {paint}/>"));
    }

    /// Straight lines through points around `center`; `paint` are attributes.
    pub fn outline(&mut self, (x, y): Point, points: &[Point], paint: &str) {
        let points: Vec<String> =
            points.iter().map(|(dx, dy)| format!("{:.1},{:.1}", x + dx, y + dy)).collect();
        self.add(format_args!("<polyline points=\"{}\" {paint}/>", points.join(" ")));
    }

    /// What is drawn inside belongs together and tells this where somebody points at it.
    pub fn group(&mut self, title: &str, draw: impl FnOnce(&mut Svg)) {
        self.add(format_args!("<g><title>{}</title>", Escaped(title)));
        draw(self);
        self.add("</g>");
    }

    /// The whole document.
    pub fn finish(self, title: &str, (width, height): Point) -> String {
        let Svg { body } = self;
        let title = Escaped(title);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n\
             <title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
        )
    }

    fn add(&mut self, element: impl Display) {
        let _ = writeln!(self.body, "{element}");
    }
}

/// A text as XML has it (XML 1.0, section 2.2: some characters cannot be there at all).
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => to.write_str("&amp;"),
            '<' => to.write_str("&lt;"),
            '>' => to.write_str("&gt;"),
            '"' => to.write_str("&quot;"),
            '\'' => to.write_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => to.write_char('\u{fffd}'),
            control if control.is_control() => to.write_char('\u{fffd}'),
            other => to.write_char(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_element_or_begins_another() {
        let hostile = "</text><script>alert('1')</script>&\"\u{0}\u{ffff}";
        let mut svg = Svg::default();
        svg.text((0.0, 0.0), "said", hostile);
        svg.group(hostile, |_| ());
        let document = svg.finish(hostile, (10.0, 10.0));
        assert!(!document.contains("script>") && !document.contains("'1'"), "{document}");
        assert!(!document.contains(['\u{0}', '\u{ffff}']), "{document}");
        assert_eq!(document.matches("&lt;script&gt;alert(&#39;1&#39;)").count(), 3);
    }
}
