"""More rules of the table: the tokens of makers that say whose they are by how they begin, each maker's in a line or two.

What a maker marks by its beginning costs least to look for: a word of a text is looked at where it begins, and nowhere else.
"""

from .rule import APART, SLASH, A, Rule, X
from .rule import rule as _rule

MAKERS: tuple[Rule, ...] = (
    _rule(
        "jwk", "pem", "the private members of a JSON Web Key",
        tuple(b'"%b%b' % (name, end) for name in (b"d", b"p", b"q", b"dp", b"dq", b"qi", b"k") for end in (b'"', b"\\")),
        rb"\"[a-z]{1,2}\\{0,7}\": {0,4}+\\{0,7}\"((?=[A-Za-z_-]{0,64}+[0-9])(?=[a-z0-9_-]{0,64}+[A-Z])(?=[A-Z0-9_-]{0,64}+[a-z])"
        rb"[A-Za-z0-9_-]{43,}+)\\{0,7}\"",
        b'{"kty": "oct", "k": "' + A + b'"}', b'{"d": "a day"}', since=3, run=True,
    ),
    _rule(
        "teams-webhook", "maker", "Teams' incoming webhooks", (b"/IncomingWebhook/", b"\\/IncomingWebhook\\/"),
        SLASH + rb"IncomingWebhook" + SLASH + rb"([0-9a-f]{32}(?:" + SLASH + rb"[A-Za-z0-9_-]{1,64}+){0,2})",
        b"https://x.webhook.office.com/webhookb2/1/IncomingWebhook/" + b"0a1b2c3d" * 4, b"https://x.example/IncomingWebhook/",
        since=3, run=True,
    ),
    _rule(
        "discord-webhook", "discord", "Discord's webhooks", (b"/webhooks/", b"\\/webhooks\\/"),
        SLASH + rb"webhooks" + SLASH + rb"[0-9]{15,22}" + SLASH + rb"([A-Za-z0-9_-]{50,}+)",
        b"https://discord.com/api/webhooks/123456789012345678/" + A + X, b"https://discord.com/api/webhooks/1/a",
        since=3, run=True,
    ),
    _rule(
        "ai-maker", "ai", "keys of Groq, xAI, Replicate, Perplexity, Tavily, NVIDIA, Pinecone, LangSmith, Cursor",
        (b"gsk_", b"xai-", b"r8_", b"pplx-", b"tvly-", b"nvapi-", b"pcsk_", b"lsv2_", b"crsr_"),
        rb"(?:gsk_|xai-|r8_|pplx-|crsr_)[A-Za-z0-9]{30,}+|(?:tvly|nvapi)-[A-Za-z0-9_-]{24,}+|(?:pcsk|lsv2)_[A-Za-z0-9_]{32,}+",
        b"gsk_" + A, b"xai-grok-2-latest-for-images", mixed=True, word=True, since=3,
    ),
    _rule(
        "maker", "maker", "tokens of Atlassian, Databricks, DigitalOcean, Docker, Figma, Grafana, Linear, Mailgun, New Relic, "
        "Notion, RubyGems, Sentry, Shopify, Tailscale, Twilio, and keys of age",
        (b"ATATT3", b"ATCTT3", b"dapi", b"dop_v1_", b"doo_v1_", b"dor_v1_", b"dckr_", b"figd_", b"glsa_", b"lin_api_",
         b"key-", b"NRAK-", b"ntn_", b"rubygems_", b"sntrys_", b"sntryu_", b"shpat_", b"shpca_", b"shppa_", b"shpss_",
         b"tskey-", b"SK", b"AGE-SECRET-KEY-1"),
        rb"AT[AC]TT3[A-Za-z0-9_=-]{60,}+|(?:dapi|key-|SK|shp(?:at|ca|pa|ss)_)[0-9a-f]{32}(?![A-Za-z0-9])"
        rb"|do[opr]_v1_[0-9a-f]{64}|dckr_[po]at_[A-Za-z0-9_-]{20,}+|figd_[A-Za-z0-9_-]{30,}+|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}"
        rb"|(?:lin_api_|ntn_|sntry[su]_)[A-Za-z0-9+/=]{32,}+|NRAK-[A-Z0-9]{27}|rubygems_[0-9a-f]{48}|tskey-[a-z]+-[A-Za-z0-9-]{16,}+"
        rb"|AGE-SECRET-KEY-1[A-Z0-9]{58}",
        b"lin_api_" + A[:40], b"key-value-stores-of-2026", mixed=True, word=True, since=3,
    ),
    _rule(
        "further-ai-maker", "ai",
        "keys of Apify, Cerebras, E2B, ElevenLabs, Firecrawl, Fireworks, Jina, Kaggle, RunPod, Weights & Biases",
        (b"apify_api_", b"csk-", b"e2b_", b"sk_", b"fc-", b"fw_", b"jina_", b"KGAT_", b"rpa_", b"wandb_v1_"),
        rb"(?:apify_api_|rpa_)[A-Za-z0-9]{36,}+|(?:csk-|jina_|wandb_v1_)[A-Za-z0-9_]{40,}+|e2b_[0-9a-f]{40,}+"
        rb"|sk_[0-9a-f]{48}(?![A-Za-z0-9])|(?:fc-|KGAT_)[0-9a-f]{32}(?![A-Za-z0-9])|fw_[A-Za-z0-9]{22,}+",
        b"csk-" + A, b"fw_rules_of_2026_in_short", mixed=True, word=True, since=3,
    ),
    _rule(
        "host", "maker",
        "tokens of Alibaba, Fly, Grafana Cloud, Heroku, MongoDB, Neon, Netlify, PlanetScale, Render, Supabase, Vercel, Yandex",
        (b"LTAI", b"fo1_", b"fm1", b"fm2_", b"glc_", b"HRKU-", b"mdb_sa_sk_", b"napi_", b"nfp_", b"pscale_", b"rnd_",
         b"sb_secret_", b"sbp_", b"vca_", b"vci_", b"vck_", b"vcp_", b"vcr_", b"AQVN"),
        rb"LTAI[A-Za-z0-9]{16,24}(?![A-Za-z0-9_-])|(?:fo1|fm1[ar]|fm2)_[A-Za-z0-9+/=_-]{43,}+|glc_[A-Za-z0-9+/]{32,}+={0,2}"
        rb"|HRKU-[A-Za-z0-9_-]{36,}+|(?:mdb_sa_sk_|napi_|nfp_)[A-Za-z0-9_-]{36,}+|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,}+"
        rb"|(?:rnd|vc[aikpr])_[A-Za-z0-9]{22,}+|sb_secret_[A-Za-z0-9_-]{20,}+|sbp_[0-9a-f]{40}|AQVN[A-Za-z0-9_-]{35,}+",
        b"sb_secret_" + X, b"fm1r_is_no_key_of_2026", mixed=True, word=True, since=3,
    ),
    _rule(
        "workshop", "maker",
        "tokens of Artifactory, Bitbucket, Buildkite, CircleCI, Clojars, crates.io, Postman, Prefect, Pulumi, Sourcegraph",
        (b"AKCp", b"ATBB", b"bkua_", b"CCIPAT_", b"CLOJARS_", b"cio", b"PMAK-", b"pnu_", b"pul-", b"sgp_"),
        rb"AKCp[A-Za-z0-9]{69,}+|ATBB[A-Za-z0-9]{28,}+|(?:bkua_|pul-)[0-9a-f]{40}|CCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}"
        rb"|CLOJARS_[a-z0-9]{60}|cio[A-Za-z0-9]{32}(?![A-Za-z0-9_-])|PMAK-[0-9a-f]{24}-[0-9a-f]{34}|pnu_[A-Za-z0-9]{36}"
        rb"|sgp_[A-Za-z0-9_]{40,}+",
        b"pnu_" + A[:36], b"pul-over-of-wool-1", mixed=True, word=True, since=3,
    ),
    _rule(
        "office", "maker",
        "tokens of 1Password, Brevo, Contentful, EasyPost, Facebook, Flutterwave, HubSpot, PostHog, Razorpay, Resend, Square, "
        "and Notion's of old",
        (b"ops_eyJ", b"xkeysib-", b"xsmtpsib-", b"CFPAT-", b"EZAK", b"EZTK", b"EAA", b"FLWSECK", b"pat-na", b"pat-eu", b"phx_",
         b"rzp_", b"re_", b"sq0", b"secret_"),
        rb"ops_eyJ[A-Za-z0-9+/=_-]{60,}+|x(?:key|smtp)sib-[0-9a-f]{64}[A-Za-z0-9-]*+|CFPAT-[A-Za-z0-9_-]{43}|EZ[AT]K[A-Za-z0-9]{54}"
        rb"|EAA[A-Za-z0-9]{100,}+|FLWSECK(?:_TEST)?-[0-9a-f]{32}-X|pat-(?:na|eu)[0-9]-[0-9a-f-]{36}|phx_[A-Za-z0-9_]{40,}+"
        rb"|rzp_(?:live|test)_[A-Za-z0-9]{14,}+|re_[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}+|sq0(?:csp|csb|atp)-[A-Za-z0-9_-]{22,}+"
        rb"|secret_[A-Za-z0-9]{43}(?![A-Za-z0-9_-])",
        b"re_" + X[:8] + b"_" + X[:24], b"secret_of_the_year_2026_and_more", mixed=True, word=True, since=3,
    ),
    _rule(
        "discord-bot", "discord", "tokens of Discord's bots", tuple(b"MD MT Mj Mz ND NT Nj Nz OD OT".split()),
        rb"[MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}+",
        b"MT" + X[:22] + b"." + X[:6] + b"." + A[:38], b"MTA-is-a-mail-transfer-agent.of-old", word=True, since=3,
    ),
    _rule(
        "dotted-token", "maker", "tokens of Doppler, Dropbox and Dynatrace",
        (b"dp.pt.", b"dp.st.", b"dp.sa.", b"dt0c01.", b"dt0s", b"sl."),
        APART + rb"(?:dp\.(?:pt|sa|st(?:\.[a-z0-9_-]{1,35})?)\.[A-Za-z0-9]{40,}+|dt0[cs][0-9]{2}\.[A-Z0-9]{8,24}\.[A-Z0-9]{64}"
        rb"|sl\.(?:u\.)?[A-Za-z0-9_-]{100,}+)",
        b"dp.pt." + A[:43], b"dp.pt.short", since=3, run=True,
    ),
    _rule(
        "terraform-token", "maker", "Terraform's tokens", (b".atlasv1.",),
        APART + rb"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}+", X[:14] + b".atlasv1." + A + X[:20], b"example.atlasv1.short",
        back=14, since=3, run=True,
    ),
    _rule(
        "sendgrid-key", "sendgrid", "SendGrid's API keys", (b"SG.",),
        APART + rb"SG\.[A-Za-z0-9_-]{16,40}+\.[A-Za-z0-9_-]{33,}+", b"SG." + X[:22] + b"." + A[:43], b"SG.pdf",
        since=3, run=True,
    ),
    _rule(
        "vault-token", "vault", "Vault's tokens", (b"hvs.", b"hvb."),
        APART + rb"hv[sb]\.[A-Za-z0-9_-]{33,}+", b"hvs." + A, b"hvs.example", since=3, run=True,
    ),
    _rule(
        "telegram-token", "telegram", "tokens of Telegram's bots", (b":AA",),
        rb"(?<=[0-9]{8}):(AA[A-Za-z0-9_-]{33})(?![A-Za-z0-9_-])", b"1234567890:AA" + A[:33], b"12345678:AA", since=3, run=True,
    ),
)  # fmt: skip
