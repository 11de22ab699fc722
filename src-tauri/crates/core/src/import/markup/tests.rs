use super::*;

#[test]
fn text_keeps_the_shape_of_the_page() {
    let html = "<p>a</p><p>b<br>c</p><blockquote><p>old</p><blockquote>older</blockquote></blockquote><ol><li>x<li>y</ol>\
                <pre>1\n  2</pre><table><tr><td>k</td><td>v</td></tr><tr><td>l</td></tr></table><hr>&copy;&#x3042;&nosuch;";
    let text =
        "a\n\nb\nc\n\n> old\n>\n>> older\n\n1. x\n2. y\n\n1\n  2\n\nk v\nl\n\n---\n\n©あ&nosuch;";
    assert_eq!(to_text(html), text);
}

#[test]
fn makes_text_that_reads_like_mail() {
    let html = "<html><head><title>x</title><style>p{color:red}</style></head><body><!-- no --><p>Hello&nbsp;Anna,</p>\
                <p>see <a href='https://contoso.example/a'>the page</a> &amp; reply.</p><ul><li>one<li>two</ul>\
                <blockquote>old</blockquote><table><tr><td>a</td><td>b</td></tr></table>1 < 2</body></html>";
    let text = to_text(html);
    for expected in [
        "Hello Anna,",
        "see the page <https://contoso.example/a> & reply.",
        "* one\n* two",
        "> old",
        "1 < 2",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text:?}");
    }
    assert!(!text.contains("color"));
}

#[test]
fn counts_what_would_be_fetched() {
    let html = "<img src=https://t.example/1.gif><img src='cid:a'><img src=//t.example/2.gif>\
                <td background=http://t.example/3.png><style>@import 'http://t.example/x.css'; a{b:url(https://t.example/4)}</style>\
                <p style=\"background:url('http://t.example/5')\"><link rel=stylesheet href=http://t.example/6>";
    assert_eq!(tame(html).remote, 7);
}

#[test]
fn nesting_is_bounded_and_the_text_stays() {
    let html = format!(
        "{}deep{}after",
        "<div>".repeat(30_000),
        "</div>".repeat(30_000)
    );
    let tamed = tame(&html);
    assert!(tamed.cut);
    assert_eq!(tamed.html.matches("<div>").count(), DEEPEST_VIEW);
    assert!(tamed.html.contains("deep") && tamed.html.ends_with("after"));
}

#[test]
fn end_tags_that_the_parser_passes_over_do_not_hide_depth() {
    for piece in [
        "<div></span>",
        "<b><div></b>",
        "<div><table></div>",
        "<i><b></i>",
        "<table><tr><td>",
    ] {
        assert!(tame(&piece.repeat(10_000)).cut, "{piece}");
    }
}

#[test]
fn paragraphs_and_cells_without_end_tags_are_not_deep() {
    for piece in ["<p>x", "<li>x", "<dt>x<dd>y", "<h2>x</h2><p>y"] {
        assert!(!tame(&piece.repeat(2_000)).cut, "{piece}");
    }
    assert!(
        !tame(&format!(
            "<table>{}</table>",
            "<tr><td>x<td><p>y".repeat(2_000)
        ))
        .cut
    );
}

#[test]
fn the_last_of_several_signs_may_begin_a_tag() {
    assert_eq!(
        tame("a <<<b>x</b> << 1").html,
        "a &lt;&lt;<b>x</b> &lt;&lt; 1"
    );
    assert_eq!(to_text("a <<<b>x</b> << 1 <"), "a <<x << 1 <");
}
