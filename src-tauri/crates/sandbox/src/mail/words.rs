//! The words mails are made of: topics per language, people, companies, greetings.

use std::sync::LazyLock;

use rand::Rng;
use rand::rngs::StdRng;

/// A language mails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// English.
    English,
    /// German.
    German,
    /// Japanese.
    Japanese,
}

/// What people write about: (subject, text), with placeholders in braces.
type Topics = Vec<(&'static str, &'static str)>;

static ENGLISH: LazyLock<Topics> = LazyLock::new(|| topics(include_str!("topics/en.txt")));
static GERMAN: LazyLock<Topics> = LazyLock::new(|| topics(include_str!("topics/de.txt")));
static JAPANESE: LazyLock<Topics> = LazyLock::new(|| topics(include_str!("topics/ja.txt")));

fn topics(text: &'static str) -> Topics {
    text.lines()
        .filter_map(|line| line.split_once(" | "))
        .collect()
}

/// The fixed phrases of one language.
pub(super) struct Phrases {
    /// First names.
    pub(super) first: &'static [&'static str],
    /// Family names.
    pub(super) last: &'static [&'static str],
    /// Domains people write from, all below `.example`.
    pub(super) domains: &'static [&'static str],
    /// Names of products.
    pub(super) products: &'static [&'static str],
    /// Cities.
    pub(super) cities: &'static [&'static str],
    /// First lines.
    pub(super) greetings: &'static [&'static str],
    /// What may follow the request.
    pub(super) extras: &'static [&'static str],
    /// Last lines.
    pub(super) closings: &'static [&'static str],
    /// What customers write when they were answered.
    pub(super) follow_ups: &'static [&'static str],
    /// What agents answer.
    pub(super) answers: &'static [&'static str],
    /// Offset of local time from UTC in hours.
    pub(super) offset: i8,
}

const ENGLISH_PHRASES: Phrases = Phrases {
    first: &[
        "Olivia", "Noah", "Amara", "Ethan", "Grace", "Liam", "Priya", "Owen", "Chloe", "Samuel",
        "Isla", "Marcus", "Zoe", "Theo", "Nadia", "Felix",
    ],
    last: &[
        "Hartley",
        "Okafor",
        "Bennett",
        "Quinn",
        "Marlowe",
        "Sayed",
        "Thornton",
        "Reyes",
        "Whitlock",
        "Dawson",
        "Pemberton",
        "Iyer",
        "Castell",
        "Fairweather",
    ],
    domains: &[
        "adatum.example",
        "litware.example",
        "proseware.example",
        "northwind.example",
        "wingtip.example",
        "tailspin.example",
        "coho-vineyard.example",
        "alpineski.example",
    ],
    products: &[
        "Barista 900",
        "Barista Duo",
        "FilterPro 12",
        "Liftdesk S2",
        "Liftdesk XL",
        "ErgoSeat 4",
        "ErgoSeat Mesh",
        "QuietBooth 1",
        "MilkCool 3",
    ],
    cities: &[
        "Leeds", "Bristol", "Dublin", "Cardiff", "Glasgow", "Norwich", "Portland", "Halifax",
    ],
    greetings: &[
        "Hello,",
        "Dear support team,",
        "Good morning,",
        "Hi there,",
        "Dear Sir or Madam,",
        "Hello Contoso,",
    ],
    extras: &[
        "You can reach me by phone in the mornings.",
        "It would help us a lot to have an answer this week.",
        "If you need photos or the serial number, just let me know.",
        "We have been your customer for six years and were always happy.",
        "My colleague is copied in, she is here on Fridays.",
        "The machine is the only one on our floor, so people are getting grumpy.",
    ],
    closings: &[
        "Kind regards",
        "Best wishes",
        "Many thanks",
        "Thanks in advance",
        "Yours sincerely",
    ],
    follow_ups: &[
        "Thank you for the quick answer. I tried what you suggested and it is better, but not gone.",
        "Here are the details you asked for: it started on Monday and happens about twice a day.",
        "That date works for us. Please ring at the side entrance.",
        "Any news on this? It has been a few days.",
        "Perfect, that solved it. You can close the case.",
        "I am afraid the part you sent does not fit, the connector is wider.",
    ],
    answers: &[
        "thank you for your message. Could you send us the serial number from the label underneath and tell us since when this happens?",
        "we are sorry for the trouble. A replacement is on its way and should reach you within three working days.",
        "our technician could come on Thursday between 9 and 12. Does that suit you?",
        "please hold both buttons for ten seconds until the display blinks, then let the machine rinse once.",
    ],
    offset: 0,
};

const GERMAN_PHRASES: Phrases = Phrases {
    first: &[
        "Jürgen",
        "Anneliese",
        "Björn",
        "Käthe",
        "Lukas",
        "Sabine",
        "Torsten",
        "Ümit",
        "Mareike",
        "Götz",
        "Heike",
        "Jonas",
        "Svenja",
        "Rüdiger",
    ],
    last: &[
        "Müßig",
        "Brandstätter",
        "Köhlmann",
        "Vogelsang",
        "Österreicher",
        "Lindqvist",
        "Grünewald",
        "Schäfermeier",
        "Harms",
        "Überall",
        "Petersen",
        "Weißgerber",
    ],
    domains: &[
        "holzwerk.example",
        "kanzlei-nord.example",
        "stadtwerke-auen.example",
        "druckerei-blau.example",
        "lehmann-optik.example",
        "gasthof-linde.example",
    ],
    products: &[
        "Barista 900",
        "Barista Duo",
        "FilterPro 12",
        "MilkCool 3",
        "Kompakta 4",
    ],
    cities: &[
        "Leipzig",
        "Graz",
        "Kiel",
        "Winterthur",
        "Nürnberg",
        "Münster",
        "Görlitz",
    ],
    greetings: &[
        "Guten Tag,",
        "Sehr geehrte Damen und Herren,",
        "Hallo liebes Support-Team,",
        "Guten Morgen,",
        "Moin,",
    ],
    extras: &[
        "Vormittags bin ich telefonisch gut zu erreichen.",
        "Über eine Antwort in dieser Woche würden wir uns freuen.",
        "Falls Sie Fotos oder die Seriennummer brauchen, melden Sie sich bitte.",
        "Wir sind seit sechs Jahren Kunde und waren immer zufrieden.",
        "Es ist die einzige Maschine auf der Etage, die Stimmung ist entsprechend.",
        "Meine Kollegin lese ich in Kopie ein.",
    ],
    closings: &[
        "Mit freundlichen Grüßen",
        "Viele Grüße",
        "Besten Dank im Voraus",
        "Freundliche Grüße",
        "Herzliche Grüße",
    ],
    follow_ups: &[
        "Danke für die schnelle Antwort. Es ist besser geworden, aber noch nicht weg.",
        "Anbei die gewünschten Angaben: Es begann am Montag und passiert etwa zweimal täglich.",
        "Der Termin passt. Bitte am Seiteneingang klingeln.",
        "Gibt es schon etwas Neues?",
        "Wunderbar, das war es. Sie können den Vorgang schließen.",
        "Leider passt das Ersatzteil nicht, der Anschluss ist breiter.",
    ],
    answers: &[
        "vielen Dank für Ihre Nachricht. Senden Sie uns bitte die Seriennummer vom Typenschild und sagen Sie uns, seit wann der Fehler auftritt.",
        "das tut uns leid. Ersatz ist unterwegs und sollte in drei Werktagen bei Ihnen sein.",
        "unser Techniker könnte am Donnerstag zwischen 9 und 12 Uhr kommen. Passt Ihnen das?",
        "halten Sie bitte beide Tasten zehn Sekunden, bis das Display blinkt, und lassen Sie die Maschine einmal spülen.",
    ],
    offset: 1,
};

const JAPANESE_PHRASES: Phrases = Phrases {
    first: &[
        "太郎",
        "陽子",
        "健一",
        "美咲",
        "直樹",
        "彩",
        "翔太",
        "千春",
        "誠",
        "真由美",
        "悠斗",
        "里奈",
    ],
    last: &[
        "山田", "鈴木", "高橋", "渡辺", "小林", "斎藤", "中村", "森", "石井", "藤原",
    ],
    domains: &[
        "kissaten-aoi.example",
        "sakura-shoji.example",
        "hoshino-print.example",
        "minato-law.example",
        "fuji-sekkei.example",
    ],
    products: &[
        "バリスタ900",
        "バリスタ・デュオ",
        "フィルタープロ12",
        "ミルククール3",
    ],
    cities: &["横浜", "札幌", "名古屋", "神戸", "福岡", "仙台"],
    greetings: &[
        "お世話になっております。",
        "サポートご担当者様",
        "いつもお世話になっております。",
        "初めてご連絡いたします。",
        "ご担当者様",
    ],
    extras: &[
        "午前中でしたらお電話でも対応できます。",
        "今週中にご回答いただけますと助かります。",
        "写真や製造番号が必要でしたらお知らせください。",
        "長年愛用しており、これまで満足しておりました。",
        "この階に一台しかないため困っております。",
    ],
    closings: &[
        "よろしくお願いいたします。",
        "何卒よろしくお願い申し上げます。",
        "お手数をおかけしますが、よろしくお願いいたします。",
    ],
    follow_ups: &[
        "早速のご返信ありがとうございます。試したところ少し良くなりましたが、まだ直っておりません。",
        "ご質問の件、月曜日から一日二回ほど発生しております。",
        "その日程で問題ございません。通用口のインターホンを押してください。",
        "その後いかがでしょうか。",
        "おかげさまで解決いたしました。ありがとうございました。",
        "お送りいただいた部品は接続部の幅が違い、取り付けられませんでした。",
    ],
    answers: &[
        "お問い合わせありがとうございます。底面の銘板にある製造番号と、発生時期をお知らせください。",
        "ご迷惑をおかけしております。代替品を発送いたしました。三営業日ほどで届く見込みです。",
        "木曜日の九時から十二時に技術者が伺えます。ご都合はいかがでしょうか。",
        "二つのボタンを十秒押し続け、画面が点滅したら一度すすぎを行ってください。",
    ],
    offset: 9,
};

impl Language {
    /// Its phrases.
    pub(super) fn phrases(self) -> &'static Phrases {
        match self {
            Self::English => &ENGLISH_PHRASES,
            Self::German => &GERMAN_PHRASES,
            Self::Japanese => &JAPANESE_PHRASES,
        }
    }

    /// Its topics.
    pub(super) fn topics(self) -> &'static Topics {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
            Self::Japanese => &JAPANESE,
        }
    }
}

/// One of `all`, at random.
pub(super) fn any<'a>(rng: &mut StdRng, all: &[&'a str]) -> &'a str {
    if all.is_empty() {
        ""
    } else {
        all[rng.random_range(0..all.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_sixty_topics_and_more_in_each_language() {
        for language in [Language::English, Language::German, Language::Japanese] {
            let subjects: std::collections::BTreeSet<_> =
                language.topics().iter().map(|t| t.0).collect();
            assert!(subjects.len() >= 60, "{language:?} has {}", subjects.len());
        }
    }
}
