"""Records that the rules were not made from: formats as their services publish them, keys as programs name
them, data of persons as countries write them, in the syntaxes that logs hold. Made anew from a seed, so that
nothing here is a secret and every seed is another set.

A format is text and {class length} or {class least-most}; the classes are in CLASSES.
"""
import base64
import json
import random
import string

LOWER, UPPER, DIGIT = string.ascii_lowercase, string.ascii_uppercase, string.digits
CLASSES = {"an": LOWER + UPPER + DIGIT, "hex": "0123456789abcdef", "HEX": "0123456789ABCDEF", "d": DIGIT,
           "low": LOWER + DIGIT, "UP": UPPER + DIGIT, "url": LOWER + UPPER + DIGIT + "_-", "b64": LOWER + UPPER + DIGIT + "+/",
           "word": LOWER + UPPER + DIGIT + "_", "b32": UPPER + "234567", "L": UPPER, "l": LOWER}

# Recognisable by themselves.
TOKENS = """
github ghp_{an 36}|gho_{an 36}|ghu_{an 36}|ghs_{an 36}|ghr_{an 36}|github_pat_{an 22}_{an 59}
gitlab glpat-{url 20}|gldt-{url 20}|glrt-{url 20}|glcbt-{hex 2}_{url 20}|glptt-{hex 40}|glft-{url 20}|glimt-{url 25}|glagent-{url 50}|gloas-{hex 64}|glsoat-{url 20}|GR1348941{url 20}|glpat-{url 27}.{low 2}.{low 9}
npm npm_{an 36}
pypi pypi-AgEIcHlwaS5vcmc{url 70}|pypi-AgENdGVzdC5weXBpLm9yZw{url 70}
crates cio{an 32}
rubygems rubygems_{hex 48}
nuget oy2{low 43}
docker dckr_pat_{url 27}|dckr_oat_{url 32}
huggingface hf_{an 34}|api_org_{an 34}
wandb wandb_v1_{word 77}
openai sk-{an 20}T3BlbkFJ{an 20}|sk-proj-{url 74}T3BlbkFJ{url 74}|sk-svcacct-{url 74}T3BlbkFJ{url 74}|sk-admin-{url 58}T3BlbkFJ{url 58}|sess-{an 40}
anthropic sk-ant-api03-{url 93}AA|sk-ant-admin01-{url 93}AA|sk-ant-oat01-{url 93}AA
openrouter sk-or-v1-{hex 64}
deepseek sk-{hex 32}
aws AKIA{b32 16}|ASIA{b32 16}|ABIA{b32 16}|ABSKQmVkcm9ja0FQSUtleS{b64 106}=
gcp AIza{url 35}|GOCSPX-{url 28}|ya29.{url 120}|1//0{url 60}
azure {an 3}7Q~{url 31}|{an 3}8Q~{url 34}|{an 52}JQQJ99{an 5}AC{an 19}
azuredevops {an 76}AZDO{an 4}
azurestorage DefaultEndpointsProtocol=https;AccountName=m31store;AccountKey={b64 86}==;EndpointSuffix=core.windows.net
azurebus Endpoint=sb://m31.servicebus.windows.net/;SharedAccessKeyName=RootManage;SharedAccessKey={b64 43}=
azuresas https://m31.blob.core.windows.net/c/b?sv=2022-11-02&ss=b&srt=co&sp=rl&se=2027-01-01T00:00:00Z&sig={b64 43}%3D
slack xoxb-{d 12}-{d 12}-{an 24}|xoxp-{d 12}-{d 12}-{d 12}-{hex 32}|xoxa-2-{d 12}-{an 24}|xapp-1-A{UP 10}-{d 13}-{hex 64}|xoxe-1-{an 146}|xoxe.xoxp-1-{an 163}|xoxs-{d 12}-{d 12}-{hex 32}
slackhook https://hooks.slack.com/services/T{UP 8}/B{UP 10}/{an 24}|https://hooks.slack.com/workflows/T{UP 8}/A{UP 10}/{d 18}/{an 24}
discordhook https://discord.com/api/webhooks/{d 19}/{url 68}|https://discordapp.com/api/webhooks/{d 18}/{url 68}
discord MT{an 24}.G{url 5}.{url 38}|OD{an 22}.X{url 5}.{url 27}
teamshook https://m31.webhook.office.com/webhookb2/{uuid}@{uuid}/IncomingWebhook/{hex 32}/{uuid}
telegram {d 10}:AA{url 33}|{d 9}:AA{url 33}
stripe sk_live_{an 24}|sk_test_{an 99}|rk_live_{an 24}|whsec_{an 32}|sk_org_live_{an 40}
square sq0atp-{url 22}|sq0csp-{url 43}|EAAA{url 60}
paypal access_token$production${low 16}${hex 32}
braintree access_token$sandbox${low 16}${hex 32}
twilio SK{hex 32}
sendgrid SG.{url 22}.{url 43}
mailgun key-{hex 32}|{hex 32}-{hex 8}-{hex 8}
mailchimp {hex 32}-us{d 1}|{hex 32}-us1{d 1}
brevo xkeysib-{hex 64}-{an 16}|xsmtpsib-{hex 64}-{an 16}
resend re_{an 8}_{an 24}
digitalocean dop_v1_{hex 64}|doo_v1_{hex 64}|dor_v1_{hex 64}
databricks dapi{hex 32}|dapi{hex 32}-2|dose{hex 32}
doppler dp.pt.{an 43}|dp.st.dev_api.{an 43}|dp.ct.{an 43}|dp.sa.{an 43}|dp.scim.{an 43}|dp.audit.{an 43}
vault hvs.{url 24}|hvs.CAES{url 90}|hvb.{url 140}|s.{an 24}
terraform {an 14}.atlasv1.{url 67}
pulumi pul-{hex 40}
sentry sntrys_eyJ{b64 120}_{b64 43}|sntryu_{hex 64}
sentrydsn https://{hex 32}@o{d 6}.ingest.sentry.io/{d 7}|https://{hex 32}:{hex 32}@sentry.example.com/3
grafana glsa_{an 32}_{hex 8}|glc_eyJ{b64 90}=
newrelic NRAK-{UP 27}|NRJS-{hex 19}|NRII-{url 32}|NRAA-{hex 27}
datadog pub{hex 32}
dynatrace dt0c01.{b32 24}.{b32 64}|dt0s16.{b32 24}.{b32 64}
honeycomb hcaik_{low 58}|hcbik_{low 58}
cloudflare v1.0-{hex 24}-{hex 146}
postman PMAK-{hex 24}-{hex 34}
shopify shpat_{hex 32}|shpca_{hex 32}|shppa_{hex 32}|shpss_{hex 32}
linear lin_api_{an 40}
notion ntn_{d 11}{an 35}|secret_{an 43}
figma figd_{url 40}|figu_{url 40}
supabase sbp_{hex 40}|sb_secret_{url 31}
replicate r8_{an 37}
groq gsk_{an 52}
perplexity pplx-{an 48}
xai xai-{an 80}
together tgp_v1_{url 43}
fireworks fw_{an 24}
cerebras csk-{low 48}
nvidia nvapi-{url 64}
jina jina_{hex 32}{url 28}
tavily tvly-{an 32}|tvly-dev-{an 32}
pinecone pcsk_{an 5}_{an 63}
langsmith lsv2_pt_{hex 32}_{hex 10}|lsv2_sk_{hex 32}_{hex 10}
elevenlabs sk_{hex 48}
voyage pa-{url 43}
anyscale esecret_{an 24}
atlassian ATATT3xFfGF0{url 170}={HEX 8}|ATCTT3xFfGN0{url 170}={HEX 8}|ATBB{an 32}
asana 2/{d 16}/{d 16}:{hex 32}|1/{d 16}:{hex 32}
airtable pat{an 14}.{hex 64}
dropbox sl.{url 130}|sl.u.{url 180}
heroku HRKU-AA{url 58}
netlify nfp_{an 36}
vercel vcp_{an 56}
render rnd_{an 28}
fly fo1_{url 43}
planetscale pscale_tkn_{url 43}|pscale_pw_{url 43}
neon napi_{low 64}
tailscale tskey-auth-k{an 12}CNTRL-{an 32}|tskey-api-k{an 12}CNTRL-{an 32}
ngrok 2{an 26}_{an 21}
okta 00{url 40}x
age AGE-SECRET-KEY-1{AGE 58}
buildkite bkua_{hex 40}
circleci CCIPAT_{an 22}_{hex 40}
sonar squ_{hex 40}|sqp_{hex 40}
snyk snyk_uat.{hex 8}.{url 60}
prefect pnu_{an 36}
readme rdme_{low 70}
launchdarkly sdk-{uuid}|api-{uuid}|mob-{uuid}
contentful CFPAT-{url 43}
hubspot pat-na1-{uuid}|pat-eu1-{uuid}
intercom dG9rO{b64 55}=
facebook EAA{an 130}
twitter AAAAAAAAAAAAAAAAAAAAA{an 30}%3D{an 50}
instagram IGQ{url 140}
linkedin AQ{url 120}
mapbox sk.eyJ1{url 80}.{url 22}
openvpn sha256~{url 43}
rancher token-{low 5}:{low 54}
plaid access-production-{uuid}
razorpay rzp_live_{an 14}
flutterwave FLWSECK-{hex 32}-X
alibaba LTAI{an 20}
tencent AKID{an 32}
yandex AQVN{url 36}|y0_{url 55}
ibm ApiKey-{uuid}
jwt {jwt}
pem {pem}
opensshkey {openssh}
basicurl https://kimlee:{an 18}@registry.example.com/v2/
pgurl postgres://trainer:{an 16}@db.example.com:5432/runs|postgresql+psycopg2://trainer:{an 16}@10.0.0.4/runs
mongourl mongodb+srv://svc:{an 20}@cluster0.example.mongodb.net/m31r
redisurl redis://:{an 22}@cache:6379/0|rediss://default:{an 24}@cache.example.com:6380
amqpurl amqps://svc:{an 22}@mq.example.com/vhost
mysqldsn svc:{an 16}@tcp(db.example.com:3306)/runs
jdbc jdbc:postgresql://db/runs?user=svc&password={an 16}|jdbc:mysql://db/runs?password={an 16}&user=svc
odbc Driver=x;Server=tcp:db,1433;Uid=svc;Pwd={an 16};Encrypt=yes
presigned https://s3.amazonaws.com/b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=20261123T000000Z&X-Amz-Signature={hex 64}
gcssigned https://storage.googleapis.com/b/o?X-Goog-Date=20261123T000000Z&X-Goog-Signature={hex 256}
otpauth otpauth://totp/m31r:kim?secret={b32 32}&issuer=m31r
bcrypt $2b$12${BC 53}
sha512crypt $6${an 12}${BC 86}
argon $argon2id$v=19$m=65536,t=3,p=4${b64 22}${b64 43}
bearer Bearer {url 48}
basic Basic {basic}
""".strip()

# Only the key tells.
KEYS = """
password passwd pwd db_password DB_PASSWORD dbPassword smtp_password user_password rootPassword redis-password
postgres_password MYSQL_ROOT_PASSWORD PGPASSWORD mysql_pwd keystore_password ssh_passphrase passphrase
api_key apiKey API_KEY apikey x-api-key X-API-Key api-key OPENAI_API_KEY cohere_api_key MISTRAL_API_KEY
datadog_api_key DD_API_KEY dd_app_key WANDB_API_KEY wandb_api_key kaggle_key COMET_API_KEY clearml_api_key
azure_api_key azure_openai_key AZURE_STORAGE_KEY storage_account_key cosmos_key pagerduty_api_key
secret client_secret clientSecret CLIENT_SECRET app_secret consumer_secret webhook_secret signing_secret
jwt_secret session_secret SECRET_KEY secret_key secretKey django_secret_key flask_secret_key secret_key_base
aws_secret_access_key AWS_SECRET_ACCESS_KEY awsSecretAccessKey aws_session_token AWS_SESSION_TOKEN
token access_token accessToken auth_token authToken refresh_token id_token session_token bot_token
hf_token HF_TOKEN HUGGING_FACE_HUB_TOKEN github_token GITHUB_TOKEN GH_TOKEN gitlab_token CI_JOB_TOKEN NPM_TOKEN
cloudflare_api_token CF_API_TOKEN private_token PRIVATE-TOKEN X-Auth-Token X-Vault-Token X-Gitlab-Token
deploy_token service_account_key encryption_key ENCRYPTION_KEY master_key signing_key private_key hmac_key
bearer_token sas_token sonar_token registry_token vault_token consul_http_token nomad_token
Ocp-Apim-Subscription-Key subscription_key access_key accessKey secret_access_key license_key account_key
AccountKey SharedAccessKey connection_password proxy_password ldap_bind_password wifi_password
""".split()

# %s is the value, %k a key. A tier of its own for those that name none.
BARE = ["%s", "using %s now", "login failed with key %s.", "rejected (%s)", "got '%s' from vault", 'value "%s" is not valid',
        "`%s`", "[%s]", "<token>%s</token>", "a,%s,b", "x=%s;y=2", "https://api.example.com/v1?q=1&t=%s", "first\n%s\nlast",
        "\\n%s\\n", "\x1b[31m%s\x1b[0m", "error: %s: not found", "-  old\n+  %s", "{'a': '%s'}", '{\\"a\\": \\"%s\\"}',
        "| 3 | %s | ok |", "/srv/%s/x" , "# was %s", "curl -H 'X: %s' host", "run -e V=%s image"]
NO_PATH = ("http", "/", " ", "\n", ";", "Basic", "Bearer", "svc:", "=", "$", "%", "+")  # not put into a path or a query
KEYED = ["%k=%s", "%k: %s", '"%k": "%s"', "{'%k': '%s'}", '{\\"%k\\":\\"%s\\"}', "%k = \"%s\"", "export %k=%s", "--%k %s", "--%k=%s",
         "[%k=%s]", "os.environ['%k'] = '%s'", 'let %k = "%s";', "<%k>%s</%k>", "?%k=%s&x=1", "$env:%k = '%s'", "set %k=%s",
         "config(%k='%s', lr=1)", "%k => '%s'", "%k := \"%s\"", "env: {%k: %s}", "loaded %k=%s from env", "-e %k=%s", "%k\\u003d%s",
         '{\\\\\\"%k\\\\\\":\\\\\\"%s\\\\\\"}', "headers={'%k': '%s'}", "%k%3D%s", "Env%k:%s"[3:], "  %k: '%s'\n  lr: 1", "#define %k \"%s\"",
         'pub const %k: &str = "%s";']


def digits(r, n):
    return "".join(r.choice(DIGIT) for _ in range(n))


def b64(data):
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def special(r, name):
    any_of = lambda chars, n: "".join(r.choice(chars) for _ in range(n))
    if name == "uuid":
        return "-".join(any_of(CLASSES["hex"], n) for n in (8, 4, 4, 4, 12))
    if name == "jwt":
        head = b64('{"alg":"%s","typ":"JWT"}' % r.choice(("HS256", "RS256", "ES256")))
        return head + "." + b64('{"sub":"%s","exp":17%s}' % (digits(r, 8), digits(r, 8))) + "." + any_of(CLASSES["url"], 43)
    if name in ("pem", "openssh"):
        kind = "OPENSSH PRIVATE KEY" if name == "openssh" else r.choice(("RSA PRIVATE KEY", "EC PRIVATE KEY", "PRIVATE KEY"))
        body = "\n".join(any_of(CLASSES["b64"], 64) for _ in range(4))
        return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----"
    assert name == "basic", name
    return base64.b64encode(f"kim:{any_of(CLASSES['an'], 14)}".encode()).decode()


def make(r, pattern):
    """A value of the format; and its secret parts, those that were drawn."""
    out, i = "", 0
    while i < len(pattern):
        if pattern[i] != "{":
            out += pattern[i]
            i += 1
            continue
        end = pattern.index("}", i)
        words = pattern[i + 1:end].split()
        if len(words) == 1:
            out += special(r, words[0])
        else:
            chars = {"AGE": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", "BC": "./" + CLASSES["an"]}.get(words[0]) or CLASSES[words[0]]
            out += "".join(r.choice(chars) for _ in range(int(words[1])))
        i = end + 1
    return out


# What of such a value is the secret, where not all of it is.
PARTS = {"azurestorage": "AccountKey=;", "azurebus": "SharedAccessKey=;", "azuresas": "sig=", "slackhook": "hooks.slack.com/",
         "discordhook": "/api/webhooks/", "teamshook": "webhookb2/", "sentrydsn": "https://@", "basicurl": "kimlee:@", "pgurl": "trainer:@",
         "mongourl": "svc:@", "redisurl": "", "amqpurl": "svc:@", "mysqldsn": "svc:@", "jdbc": "password=&", "odbc": "Pwd=;",
         "presigned": "Signature=", "gcssigned": "Signature=", "otpauth": "secret=&", "bearer": "Bearer ", "basic": "Basic ",
         "paypal": "", "braintree": ""}


def secret_of(name, value):
    mark = PARTS.get(name)
    if name == "redisurl":
        return value.split("://")[1].split("@")[0].split(":")[1]
    if not mark:
        return value
    stop = mark[-1] if mark[-1] in ";@&" else ""
    mark = mark[:-1] if stop else mark
    rest = value[value.index(mark) + len(mark):]
    return rest.split(stop)[0] if stop else rest


def iban(r, country, bban):
    def number(s):
        return int("".join(str(int(c, 36)) for c in s))
    body = make(r, bban)
    check = 98 - number(body + country + "00") % 97
    return f"{country}{check:02d}{body}"


IBANS = {"DE": "{d 18}", "FR": "{d 10}{UP 11}{d 2}", "GB": "{L 4}{d 14}", "ES": "{d 20}", "IT": "{L 1}{d 10}{UP 12}", "NL": "{L 4}{d 10}",
         "CH": "{d 5}{UP 12}", "AT": "{d 16}", "BE": "{d 12}", "PL": "{d 24}", "PT": "{d 21}", "SE": "{d 20}", "NO": "{d 11}", "DK": "{d 14}",
         "FI": "{d 14}", "IE": "{L 4}{d 14}", "CZ": "{d 20}", "GR": "{d 7}{UP 16}", "TR": "{d 5}0{UP 16}", "SA": "{d 2}{UP 18}",
         "AE": "{d 19}", "MT": "{L 4}{d 5}{UP 18}", "LU": "{d 3}{UP 13}", "RO": "{L 4}{UP 16}", "HU": "{d 24}", "UA": "{d 6}{UP 19}"}
PHONES = ["+1 (415) 555-01{d 2}", "+1-212-555-01{d 2}", "+1 646 555 01{d 2}", "+44 20 7946 0{d 3}", "+44 7700 900{d 3}", "+442079460{d 3}",
          "+49 30 {d 8}", "+49 (0)30 {d 7}", "+49-171-{d 7}", "+33 6 {d 2} {d 2} {d 2} {d 2}", "+33612{d 6}", "+34 612 {d 3} {d 3}",
          "+39 06 {d 4} {d 4}", "+91 98{d 3} {d 5}", "+86 138 {d 4} {d 4}", "+81 3-{d 4}-{d 4}", "+55 11 9{d 4}-{d 4}", "+61 4{d 2} {d 3} {d 3}",
          "+7 912 {d 3}-{d 2}-{d 2}", "+41 44 {d 3} {d 2} {d 2}", "+971 50 {d 3} {d 4}", "+27 82 {d 3} {d 4}"]
NATIONAL = ["(415) 555-01{d 2}", "415-555-01{d 2}", "415.555.01{d 2}", "020 7946 0{d 3}", "07700 900{d 3}", "030 {d 8}", "06 {d 2} {d 2} {d 2} {d 2}"]
FIRST = "anna jonas maria pavel yuki amina luca olga tariq ingrid mateo chloe".split()
LAST = "berger novak rossi tanaka haddad larsen moreau silva kowalski okafor".split()
HOSTS = "example.com mail.example.org example.co.uk corp.example.net uni-mail.example.edu example.io".split()


def person(r):
    return r.choice(FIRST), r.choice(LAST)


def email(r):
    first, last = person(r)
    return r.choice((f"{first}.{last}", f"{first[0]}{last}{r.randint(1, 99)}", f"{first}_{last}", f"{first}+news")) + "@" + r.choice(HOSTS)


def card(r):
    start, length = r.choice((("4", 16), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16)))
    body = start + digits(r, length - len(start) - 1)
    total = sum(d if i % 2 else (d * 2 - 9 if d > 4 else d * 2) for i, d in enumerate(map(int, reversed(body))))
    number = body + str(-total % 10)
    cut = (4, 10) if length == 15 else (4, 8, 12)
    joint = r.choice((" ", "-"))
    pieces = [number[a:b] for a, b in zip((0, *cut), (*cut, length))]
    return joint.join(pieces)


def personal(r):
    """(kind, text, what must go), each recognisable by itself or by the word beside it."""
    first, last = person(r)
    name, code = f"{first.capitalize()} {last.capitalize()}", r.choice(list(IBANS))
    account = iban(r, code, IBANS[code])
    shown = " ".join(account[i:i + 4] for i in range(0, len(account), 4)) if r.random() < 0.5 else account
    phone, local = make(r, r.choice(PHONES)), make(r, r.choice(NATIONAL))
    user, mail = f"{first}{last[0]}", email(r)
    at = mail.replace("@", r.choice((" at ", "[at]", "(at)", " [at] "))).replace(".", r.choice((".", " dot ", "[dot]")))
    yield "email", r.choice((f"mail to {mail}", f"<{mail}>", f"{name} <{mail}>", f"user={mail}", f"mailto:{mail}?subject=x", f"Author: {name} <{mail}>",
                             f'{{"to":"{mail}"}}', f"failed for {mail}.")), mail
    yield "email_obfuscated", r.choice((f"write to {at}", f"contact: {at}")), at
    yield "phone", r.choice((f"sms to {phone}", f"callback {phone} failed", f"tel:{phone}", f"from={phone}", f"({phone})")), phone
    yield "phone_national", r.choice((f"phone: {local}", f"call {local} now", f"tel. {local}", f"Phone number: {local}", f"mobile={local}")), local
    yield "iban", r.choice((f"pay {shown} now", f"iban={account}", f"account {shown}.", f'"{account}"', f"IBAN: {shown}")), shown.strip() if shown in shown else shown
    yield "card", r.choice(("charged {c}", "card {c} declined", '"{c}"', "pan={c}")).replace("{c}", "%s") % (number := card(r)), number
    yield "home_linux", r.choice((f"open /home/{user}/runs/a.log", f"File \"/home/{user}/x.py\", line 3", f"cwd=/home/{user}", f"PATH=/usr/bin:/home/{user}/bin")), user
    yield "home_mac", r.choice((f"/Users/{user}/Library/x", f"file:///Users/{user}/x")), user
    yield "home_windows", r.choice((f"C:\\Users\\{user}\\x.txt", f"C:\\\\Users\\\\{user}\\\\x.txt", f"C:/Users/{user}/x", f"D:\\Documents and Settings\\{user}\\x")), user
    yield "home_other", r.choice((f"/var/home/{user}/x", f"/export/home/{user}/x", f"/mnt/c/Users/{user}/x", f"/net/home/{user}/x", f"/root/../home/{user}/x")), user
    yield "ssh", r.choice((f"ssh {user}@gpu-node-7", f"scp a {user}@login1.cluster.local:/tmp", f"rsync -a x {user}@10.0.3.7:/data", f"{user}@gpu-node-12:~$ ls")), user
    yield "user", r.choice((f"user={user} logged in", f"username: {user}", f"USER={user}", f"LOGNAME={user}", f'"user": "{user}"', f"user_name={user}")), user
    yield "name", r.choice((f"full_name: {name}", f'"displayName": "{name}"', f"patient {name} admitted", f"author={name}")), name
    yield "ssn", f"{r.choice(('ssn', 'SSN:', 'social security number'))} {(s := f'{r.randint(101, 650)}-{r.randint(11, 99)}-{digits(r, 4)}')}", s
    yield "ip", r.choice((f"client_ip=203.0.113.{r.randint(1, 254)}", f"request from 198.51.100.{r.randint(1, 254)}", f'"remote_addr": "203.0.113.{r.randint(1, 254)}"')), None
    yield "birth", f"{r.choice(('date_of_birth: ', 'dob=', 'birthdate: '))}{(b := f'19{digits(r, 2)}-0{r.randint(1, 9)}-1{r.randint(0, 9)}')}", b


def rows(seed, each=2):
    """(tier, kind, record, secret): deterministic for a seed."""
    r = random.Random(seed)
    for line in TOKENS.splitlines():
        name, formats = line.split(" ", 1)
        for pattern in formats.split("|"):
            if "{" not in pattern:
                continue
            for _ in range(each):
                value = make(r, pattern)
                place = r.choice(BARE)
                if any(c in value for c in NO_PATH) and ("/srv" in place or "&t=" in place or "{" in place or "run -e" in place):
                    place = "%s"
                record = {"msg": place.replace("%s", value)}
                if r.random() < 0.3:
                    record = r.choice(({"argv": ["x", value]}, {"env": {"V": value}}, {"list": [value, "b"]}, {"a": {"b": value}}, {value: 1} if len(value) < 200 else {"v": value}))
                yield "A", name, record, secret_of(name, value)
    for key in KEYS:
        for _ in range(each):
            value = make(r, r.choice(("{hex 32}", "{an 24}", "{an 40}", "{b64 43}=", "{uuid}", "{an 16}", "{hex 64}", "{url 20}")))
            while value[0] in "-/+=_":
                value = "k" + value[1:]
            syntax = r.choice(KEYED)
            if "password" in key.lower() and r.random() < 0.4:
                value = make(r, "{l 6}{d 3}!{L 1}")
            record = {"msg": syntax.replace("%k", key).replace("%s", value)} if r.random() < 0.7 else {"msg": "x", "extra": {key: value}}
            yield "B", "key:" + key, record, value
    for _ in range(each * 8):
        for kind, text, secret in personal(r):
            if secret is None:
                secret = next(w for w in text.replace('"', " ").replace("=", " ").split() if w.count(".") == 3)
            yield "P", kind, {"msg": text}, secret


if __name__ == "__main__":
    import sys
    for row in rows(int(sys.argv[1]) if len(sys.argv) > 1 else 1):
        print(json.dumps(row))
