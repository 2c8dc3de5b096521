/* text_rules.c - words and marks in running text behind which a datum may stand.
 *
 * The literals of m31ri_match_keyed are parts of keys: wherever one is met, the whole key around it is judged.
 */
#include "rules/rules_int.h"

#define K(word) {word, NULL, m31ri_match_keyed, 0, 0, 1, 0}

const m31ri_rule m31ri_text_rules[] = {
    K("password"), K("passwd"), K("passwort"), K("passphrase"), K("passcode"), K("pass"), K("pwd"), K("secret"), K("token"),
    K("apikey"), K("api_key"), K("api-key"), K("key"), K("auth"), K("cookie"), K("sess"), K("cred"), K("jwt"), K("otp"), K("mfa"), K("psk"),
    K("pin"), K("csrf"), K("xsrf"), K("bearer"), K("mnemonic"), K("phrase"), K("prompt"), K("completion"), K("message"), K("content"), K("query"),
    K("instruction"), K("question"), K("answer"), K("response"), K("transcript"), K("input"), K("text"), K("body"), K("ssn"), K("social security"), K("iban"), K("passport"), K("phone"),
    K("mobile"), K("tel"), K("fax"), K("birth"), K("dob"), K("user"), K("login"), K("logname"), K("email"), K("card"), K("cvv"), K("cvc"),
    K("pan"), K("nino"), K("dni"), K("nif"), K("cpf"), K("pesel"), K("aadhaar"), K("nir"), K("nhs"), K("nin"), K("tfn"), K("bsn"), K("remote"),
    K("client"), K("forwarded"), K("latitude"), K("longitude"), K("gps"), K("coordinates"), K("address"), K("surname"), K("name"), K("author"), K("sig"),
    {"social security", "national_id", m31ri_match_keyed, 0, 0, 1, 0}, {"sms", "phone", m31ri_match_keyed, 0, 0, 1, 0}, {"call", "phone", m31ri_match_keyed, 0, 0, 1, 0},
    {"contact", "phone", m31ri_match_keyed, 0, 0, 1, 0}, {"visa", "card", m31ri_match_keyed, 0, 0, 1, 0}, {"mastercard", "card", m31ri_match_keyed, 0, 0, 1, 0},
    {"amex", "card", m31ri_match_keyed, 0, 0, 1, 0}, {"whatsapp", "phone", m31ri_match_keyed, 0, 0, 1, 0},
    {"bearer ", "token", m31ri_match_scheme, 0, 0, 1, 12}, {"basic ", "authorization", m31ri_match_scheme, 0, 0, 1, 8},
    {"://", "password", m31ri_match_url, 0, 0, 0, 0}, {"-u ", "password", m31ri_match_userpass, 0, 0, 0, 0}, {"--user ", "password", m31ri_match_userpass, 0, 0, 0, 0},
    {"-p ", "password", m31ri_match_userpass, 0, 0, 0, 0}, {"/home/", "home", m31ri_match_home, 0, 0, 0, 0}, {"/Users/", "home", m31ri_match_home, 0, 0, 0, 0},
    {"\\Users\\", "home", m31ri_match_home, 0, 0, 0, 0}, {"from ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"client ", "ip", m31ri_match_from, 0, 0, 1, 0},
    {"client: ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"peer ", "ip", m31ri_match_from, 0, 0, 1, 0}, {"patient ", "name", m31ri_match_name, 0, 0, 1, 0}, {"customer ", "name", m31ri_match_name, 0, 0, 1, 0},
    {"employee ", "name", m31ri_match_name, 0, 0, 1, 0}, {"dear ", "name", m31ri_match_name, 0, 0, 1, 0},
    {"mr. ", "name", m31ri_match_name, 0, 0, 1, 0}, {"mrs. ", "name", m31ri_match_name, 0, 0, 1, 0},
};
const size_t m31ri_n_text_rules = sizeof m31ri_text_rules / sizeof m31ri_text_rules[0];
