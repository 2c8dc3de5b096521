/* text_rules.c - words and marks in running text behind which a datum may stand.
 *
 * The literals of m31ri_match_keyed are parts of keys: wherever one is met, the whole key around it is judged.
 */
#include "rules/rules_int.h"

#define K(word) {word, NULL, m31ri_match_keyed, 0, 0, 1, 0}
/* ... those whose values that are numbers are harmless: counts, sizes, times */
#define C(word) {word, NULL, m31ri_match_keyed, 1, 0, 1, 0}
/* ... and those behind which a blank may stand instead of a mark */
#define B(word) {word, NULL, m31ri_match_keyed, 0, 0, 1, 1}

const m31ri_rule m31ri_text_rules[] = {
    B("password"), B("passwd"), B("passwort"), B("passphrase"), K("passcode"), K("pass"), K("pwd"), B("secret"), C("token"),
    B("apikey"), K("api_key"), K("api-key"), C("key"), C("auth"), K("cookie"), C("sess"), K("cred"), K("jwt"), K("otp"), K("mfa"), K("psk"),
    K("pin"), K("csrf"), K("xsrf"), K("bearer"), K("mnemonic"), K("phrase"), C("prompt"), C("completion"), C("message"), C("content"), C("query"),
    C("instruction"), C("question"), C("answer"), C("response"), C("transcript"), C("input"), C("text"), C("body"), B("ssn"), B("iban"), B("passport"), B("phone"),
    B("mobile"), B("tel"), B("fax"), K("birth"), K("dob"), C("user"), C("login"), K("logname"), K("email"), B("card"), B("cvv"), B("cvc"),
    B("pan"), B("nino"), B("dni"), B("nif"), B("cpf"), B("pesel"), B("aadhaar"), B("nir"), B("nhs"), B("nin"), B("tfn"), B("bsn"), C("remote"),
    C("client"), K("forwarded"), K("latitude"), K("longitude"), K("gps"), K("coordinates"), C("address"), K("surname"), C("name"), K("author"), K("sig"),
    {"social security", "national_id", m31ri_match_keyed, 0, 0, 1, 1}, {"sms", "phone", m31ri_match_keyed, 0, 0, 1, 1}, {"call", "phone", m31ri_match_keyed, 0, 0, 1, 1},
    {"contact", "phone", m31ri_match_keyed, 0, 0, 1, 1}, {"visa", "card", m31ri_match_keyed, 0, 0, 1, 1}, {"mastercard", "card", m31ri_match_keyed, 0, 0, 1, 1},
    {"amex", "card", m31ri_match_keyed, 0, 0, 1, 1}, {"whatsapp", "phone", m31ri_match_keyed, 0, 0, 1, 1},
    {"bearer ", "token", m31ri_match_scheme, 0, 0, 1, 12}, {"basic ", "authorization", m31ri_match_scheme, 0, 0, 1, 8},
    {":5432:", "password", m31ri_match_pgpass, 0, 0, 0, 0}, {":3306:", "password", m31ri_match_pgpass, 0, 0, 0, 0},
    {"://", "password", m31ri_match_url, 0, 0, 0, 0}, {"-u ", "password", m31ri_match_userpass, 0, 0, 0, 0}, {"--user ", "password", m31ri_match_userpass, 0, 0, 0, 0},
    {"-p ", "password", m31ri_match_userpass, 0, 0, 0, 0}, {"/home/", "home", m31ri_match_home, 0, 0, 0, 0}, {"/Users/", "home", m31ri_match_home, 0, 0, 0, 0},
    {"\\Users\\", "home", m31ri_match_home, 0, 0, 0, 0}, {"from ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"client ", "ip", m31ri_match_from, 0, 0, 1, 0},
    {"client: ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"peer ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"patient ", "name", m31ri_match_name, 0, 0, 1, 0}, {"customer ", "name", m31ri_match_name, 0, 0, 1, 0},
    {"employee ", "name", m31ri_match_name, 0, 0, 1, 0}, {"dear ", "name", m31ri_match_name, 0, 0, 1, 0},
    {"mr. ", "name", m31ri_match_name, 0, 0, 1, 0}, {"mrs. ", "name", m31ri_match_name, 0, 0, 1, 0},
};
const size_t m31ri_n_text_rules = sizeof m31ri_text_rules / sizeof m31ri_text_rules[0];
