//! The settings themselves. Only what a provider or somebody who keeps such lists has written down is here; each entry
//! names its source. "ISPDB" is Thunderbird's list (repository thunderbird/autoconfig), "provider-db" is Delta Chat's
//! (repository chatmail/provider-db). IMAP is always at port 993 with TLS.

use super::{Login, Preset};
use crate::account::Tls;
use crate::discovery::FoundSignIn;

pub(super) const PRESETS: [Preset; 24] = [
    // ISPDB, googlemail.com; provider-db, gmail; Google Account Help, "Sign in with app passwords".
    Preset {
        name: "Gmail",
        domains: "gmail.com googlemail.com",
        imap: ("imap.gmail.com", Login::Address),
        smtp: ("smtp.gmail.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("Gmail sign-in"),
    },
    // ISPDB, me.com; provider-db, icloud; Apple Support, "iCloud Mail server settings for other email client apps".
    Preset {
        name: "iCloud Mail",
        domains: "icloud.com me.com mac.com",
        imap: ("imap.mail.me.com", Login::LocalPart),
        smtp: ("smtp.mail.me.com", 587, Tls::StartTls, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("iCloud Mail sign-in"),
    },
    // ISPDB, yahoo.com; provider-db, yahoo; Yahoo Help, "IMAP server settings for Yahoo Mail".
    Preset {
        name: "Yahoo Mail",
        domains: "yahoo.com yahoo.ca yahoo.de yahoo.it yahoo.fr yahoo.es yahoo.se yahoo.co.in yahoo.co.uk yahoo.co.nz \
            yahoo.com.au yahoo.com.ar yahoo.com.br yahoo.com.mx ymail.com myyahoo.com rocketmail.com",
        imap: ("imap.mail.yahoo.com", Login::Address),
        smtp: ("smtp.mail.yahoo.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("Yahoo Mail sign-in"),
    },
    // ISPDB, aol.com; provider-db, aol.
    Preset {
        name: "AOL Mail",
        domains: "aol.com aim.com netscape.net netscape.com compuserve.com cs.com wmconnect.com aol.de aol.it aol.fr \
            aol.es aol.se aol.co.uk aol.co.nz aol.com.au aol.com.ar aol.com.br aol.com.mx",
        imap: ("imap.aol.com", Login::Address),
        smtp: ("smtp.aol.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("AOL Mail sign-in"),
    },
    // Fastmail, "Server names and ports"; domains: provider-db, fastmail, after Fastmail's own list.
    Preset {
        name: "Fastmail",
        domains: "123mail.org 150mail.com 150ml.com 16mail.com 2-mail.com 4email.net 50mail.com airpost.net \
            allmail.net bestmail.us cluemail.com elitemail.org emailcorner.net emailengine.net emailengine.org \
            emailgroups.net emailplus.org emailuser.net eml.cc f-m.fm fast-email.com fast-mail.org fastem.com \
            fastemail.us fastemailer.com fastest.cc fastimap.com fastmail.cn fastmail.co.uk fastmail.com \
            fastmail.com.au fastmail.de fastmail.es fastmail.fm fastmail.fr fastmail.im fastmail.in fastmail.jp \
            fastmail.mx fastmail.net fastmail.nl fastmail.org fastmail.se fastmail.to fastmail.tw fastmail.uk \
            fastmail.us fastmailbox.net fastmessaging.com fea.st fmail.co.uk fmailbox.com fmgirl.com fmguy.com \
            ftml.net h-mail.us hailmail.net imap-mail.com imap.cc imapmail.org inoutbox.com internet-e-mail.com \
            internet-mail.org internetemails.net internetmailing.net jetemail.net justemail.net letterboxes.org \
            mail-central.com mail-page.com mailandftp.com mailas.com mailbolt.com mailc.net mailcan.com \
            mailforce.net mailftp.com mailhaven.com mailingaddress.org mailite.com mailmight.com mailnew.com \
            mailsent.net mailservice.ms mailup.net mailworks.org ml1.net mm.st myfastmail.com mymacmail.com \
            nospammail.net ownmail.net petml.com postinbox.com postpro.net proinbox.com promessage.com \
            realemail.net reallyfast.biz reallyfast.info rushpost.com sent.as sent.at sent.com speedpost.net \
            speedymail.org ssl-mail.com swift-mail.com the-fastest.net the-quickest.com theinternetemail.com \
            veryfast.biz veryspeedy.net warpmail.net xsmail.com yepmail.net your-mail.com",
        imap: ("imap.fastmail.com", Login::Address),
        smtp: ("smtp.fastmail.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("Fastmail sign-in"),
    },
    // ISPDB, gmx.net; GMX Hilfe, "IMAP-Serverdaten" and "Wie richte ich ein anwendungsspezifisches Passwort ein?".
    Preset {
        name: "GMX",
        domains: "gmx.net gmx.de gmx.at gmx.ch gmx.eu gmx.biz gmx.org gmx.info mein.gmx mail.gmx email.gmx",
        imap: ("imap.gmx.net", Login::Address),
        smtp: ("mail.gmx.net", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("GMX sign-in"),
    },
    // ISPDB, gmx.com.
    Preset {
        name: "GMX",
        domains: "gmx.com gmx.tm gmx.us gmx.co.uk gmx.es gmx.fr gmx.ca gmx.cn gmx.co.in gmx.com.br gmx.com.my gmx.hk \
            gmx.ie gmx.ph gmx.pt gmx.ru gmx.se gmx.sg gmx.tw gmx.com.tr gmx.it gmx.li",
        imap: ("imap.gmx.com", Login::Address),
        smtp: ("mail.gmx.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("GMX sign-in"),
    },
    // ISPDB, web.de; provider-db, web.de; WEB.DE, "Zwei-Faktor-Authentifizierung".
    Preset {
        name: "WEB.DE",
        domains: "web.de",
        imap: ("imap.web.de", Login::LocalPart),
        smtp: ("smtp.web.de", 587, Tls::StartTls, Login::LocalPart),
        sign_in: FoundSignIn::Password,
        card: Some("WEB.DE sign-in"),
    },
    // ISPDB, t-online.de; provider-db, t-online; Telekom Hilfe, "Passwort für E-Mail-Programme einrichten".
    Preset {
        name: "T-Online",
        domains: "t-online.de magenta.de",
        imap: ("secureimap.t-online.de", Login::Address),
        smtp: ("securesmtp.t-online.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("T-Online sign-in"),
    },
    // provider-db, freenet.de.
    Preset {
        name: "freenet",
        domains: "freenet.de",
        imap: ("mx.freenet.de", Login::Address),
        smtp: ("mx.freenet.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("freenet sign-in"),
    },
    // ISPDB, vodafonemail.de.
    Preset {
        name: "Vodafone",
        domains: "vodafonemail.de arcor.de kabelmail.de",
        imap: ("imap.vodafonemail.de", Login::Address),
        smtp: ("smtp.vodafonemail.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: None,
    },
    // ISPDB, 1und1.de.
    Preset {
        name: "1&1",
        domains: "online.de onlinehome.de sofortstart.de sofort-start.de sofortsurf.de sofort-surf.de go4more.de",
        imap: ("imap.1und1.de", Login::Address),
        smtp: ("smtp.1und1.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: None,
    },
    // ISPDB's contribution by IONOS ("Adding configurations for IONOS MX endpoints"); IONOS Help, "Email: activate and configure two-step verification".
    Preset {
        name: "IONOS",
        domains: "ionos.de",
        imap: ("imap.ionos.de", Login::Address),
        smtp: ("smtp.ionos.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("IONOS sign-in"),
    },
    // The same for ionos.com.
    Preset {
        name: "IONOS",
        domains: "ionos.com",
        imap: ("imap.ionos.com", Login::Address),
        smtp: ("smtp.ionos.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("IONOS sign-in"),
    },
    // ISPDB, strato.de.
    Preset {
        name: "STRATO",
        domains: "strato.de",
        imap: ("imap.strato.de", Login::Address),
        smtp: ("smtp.strato.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: None,
    },
    // provider-db, mail.de.
    Preset {
        name: "mail.de",
        domains: "mail.de",
        imap: ("imap.mail.de", Login::Address),
        smtp: ("smtp.mail.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: None,
    },
    // mailbox.org, "Email configuration".
    Preset {
        name: "mailbox.org",
        domains: "mailbox.org secure.mailbox.org",
        imap: ("imap.mailbox.org", Login::Address),
        smtp: ("smtp.mailbox.org", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("mailbox.org sign-in"),
    },
    // ISPDB, posteo.de; provider-db, posteo.
    Preset {
        name: "Posteo",
        domains: "posteo.de posteo.at posteo.be posteo.ca posteo.ch posteo.cl posteo.co posteo.co.uk posteo.com \
            posteo.com.br posteo.cr posteo.cz posteo.dk posteo.ee posteo.es posteo.eu posteo.fi posteo.gl \
            posteo.gr posteo.hn posteo.hr posteo.hu posteo.ie posteo.in posteo.is posteo.it posteo.jp posteo.la \
            posteo.li posteo.lt posteo.lu posteo.me posteo.mx posteo.my posteo.net posteo.nl posteo.no posteo.nz \
            posteo.org posteo.pe posteo.pl posteo.pm posteo.pt posteo.ro posteo.se posteo.sg posteo.si posteo.tn \
            posteo.uk posteo.us",
        imap: ("posteo.de", Login::Address),
        smtp: ("posteo.de", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::AppPassword,
        card: Some("Posteo sign-in"),
    },
    // ISPDB, hotmail.com; Microsoft Support, "POP, IMAP, and SMTP settings for Outlook.com".
    Preset {
        name: "Outlook.com",
        domains: "hotmail.com live.com msn.com outlook.com windowslive.com outlook.at outlook.be outlook.cl outlook.cz \
            outlook.de outlook.dk outlook.es outlook.fr outlook.hu outlook.ie outlook.in outlook.it outlook.jp \
            outlook.kr outlook.lv outlook.my outlook.ph outlook.pt outlook.sa outlook.sg outlook.sk \
            outlook.co.id outlook.co.il outlook.co.th outlook.com.ar outlook.com.au outlook.com.br \
            outlook.com.gr outlook.com.tr outlook.com.vn hotmail.be hotmail.ca hotmail.cl hotmail.cz hotmail.de \
            hotmail.dk hotmail.es hotmail.fi hotmail.fr hotmail.gr hotmail.hu hotmail.it hotmail.lt hotmail.lv \
            hotmail.my hotmail.nl hotmail.no hotmail.ph hotmail.rs hotmail.se hotmail.sg hotmail.sk \
            hotmail.co.id hotmail.co.il hotmail.co.in hotmail.co.jp hotmail.co.kr hotmail.co.th hotmail.co.uk \
            hotmail.co.za hotmail.com.ar hotmail.com.au hotmail.com.br hotmail.com.hk hotmail.com.tr \
            hotmail.com.tw hotmail.com.vn live.at live.be live.ca live.cl live.cn live.de live.dk live.fi \
            live.fr live.hk live.ie live.in live.it live.jp live.nl live.no live.ru live.se live.co.jp \
            live.co.kr live.co.uk live.co.za live.com.ar live.com.au live.com.mx live.com.my live.com.ph \
            live.com.pt live.com.sg livemail.tw",
        imap: ("outlook.office365.com", Login::Address),
        smtp: ("smtp-mail.outlook.com", 587, Tls::StartTls, Login::Address),
        sign_in: FoundSignIn::Microsoft,
        card: Some("Outlook.com sign-in"),
    },
    // ISPDB, zoho.com; Zoho, "Zoho Mail - Access via IMAP".
    Preset {
        name: "Zoho Mail",
        domains: "zoho.com zohomail.com",
        imap: ("imap.zoho.com", Login::Address),
        smtp: ("smtp.zoho.com", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("Zoho Mail sign-in"),
    },
    // The same: ISPDB, zoho.eu.
    Preset {
        name: "Zoho Mail",
        domains: "zoho.eu zohomail.eu",
        imap: ("imap.zoho.eu", Login::Address),
        smtp: ("smtp.zoho.eu", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("Zoho Mail sign-in"),
    },
    // The same: ISPDB, zoho.in.
    Preset {
        name: "Zoho Mail",
        domains: "zoho.in zohomail.in",
        imap: ("imap.zoho.in", Login::Address),
        smtp: ("smtp.zoho.in", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("Zoho Mail sign-in"),
    },
    // The same: ISPDB, zoho.com.au.
    Preset {
        name: "Zoho Mail",
        domains: "zoho.com.au zohomail.com.au",
        imap: ("imap.zoho.com.au", Login::Address),
        smtp: ("smtp.zoho.com.au", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("Zoho Mail sign-in"),
    },
    // The same: ISPDB, zoho.jp.
    Preset {
        name: "Zoho Mail",
        domains: "zoho.jp zohomail.jp",
        imap: ("imap.zoho.jp", Login::Address),
        smtp: ("smtp.zoho.jp", 465, Tls::Implicit, Login::Address),
        sign_in: FoundSignIn::Password,
        card: Some("Zoho Mail sign-in"),
    },
];
