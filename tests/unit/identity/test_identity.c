/* Identity: the refusal, where each value comes from, the digest, what is described and kept. Each
 * test works in a directory of its own, with a git work tree in it. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/os_file.h"
#include "base/os_process.h"
#include "identity/identity.h"

static char scratch[64];
static int home = -1;

static void shell(const char *command)
{
    if (system(command) != 0) {
        fail_msg("%s", command);
    }
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    (void)state;
    home = open(".", O_RDONLY | O_DIRECTORY);
    snprintf(scratch, sizeof scratch, "/tmp/m31r-id-XXXXXX");
    assert_non_null(mkdtemp(scratch));
    assert_int_equal(chdir(scratch), 0);
    unsetenv("M31R_SEED");
    shell("mkdir bare proj && cd proj && git init -q -b main . && mkdir configs data && echo "
          "'print(1)' >train.py && "
          "printf 'config_version: 1\\nlr: 0.1\\ntrain:\\n  seed: 7\\n  data: rust@1\\n' "
          ">configs/a.yaml && "
          "echo x >data/x && printf 'experiments/\\n' >.gitignore && git add . && "
          "git -c user.name=a -c user.email=a@b commit -q -m one");
    assert_int_equal(chdir("proj"), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    assert_int_equal(fchdir(home), 0);
    close(home);
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command) == 0 ? 0 : -1;
}

static const char *const plain_argv[] = {"python", "train.py", "--lr", "3e-4"};

static m31r_run_options whole(void)
{
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.config = "configs/a.yaml";
    o.seed = "42";
    o.dataset = "rust-src@2026.10";
    o.tokenizer = "bpe@3";
    o.argc = 4;
    o.argv = plain_argv;
    return o;
}

static void gather(const m31r_run_options *o, m31ri_identity *id)
{
    m31r_error e;
    if (m31ri_identity_gather(o, NULL, true, id, &e) != M31R_OK) {
        fail_msg("%s\n%s", e.message, e.hint);
    }
}

static void test_obs_21__refusal_names_everything_missing_at_once(void **state)
{
    (void)state;
    static const char *const argv[] = {"python", "train.py", "it's", "--token",
                                       "ghp_0123456789abcdefghijABCDEFGHIJ012345"};
    assert_int_equal(chdir("../bare"), 0);
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.argc = 5;
    o.argv = argv;
    o.stage = "eval";
    m31ri_identity id;
    m31r_error e;
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_int_equal(m31r_err_exit(e.code), 2);
    assert_string_equal(
        e.message, "a run needs what identifies it; missing: config, seed, dataset, tokenizer, "
                   "commit (not in a git work tree)");
    assert_non_null(strstr(
        e.hint, "m31r run --config none --seed 42 --dataset DIR_OR_VERSION --tokenizer "
                "NAME@VERSION --commit none --stage eval -- python train.py 'it'\\''s' --token "));
    assert_null(strstr(e.hint, "ghp_"));
    assert_non_null(strstr(e.hint, "--try"));
    assert_int_equal(m31ri_identity_gather(&o, NULL, false, &id, &e), M31R_E_CONFIG);
    assert_non_null(strstr(e.hint, ".config = \"none\", .seed = \"42\", .dataset = "));
    assert_non_null(strstr(e.hint, "m31r_run_options"));
}

static void test_obs_21__hint_is_filled_with_what_the_arguments_and_files_say(void **state)
{
    (void)state;
    static const char *const argv[] = {"python",   "train.py",    "configs/a.yaml",
                                       "--seed=9", "--tokenizer", "tok@1"};
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.argc = 6;
    o.argv = argv;
    m31ri_identity id;
    m31r_error e;
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_non_null(strstr(e.message, "missing: config, seed, dataset, tokenizer"));
    assert_null(strstr(e.message, "commit"));
    assert_non_null(strstr(
        e.hint,
        "m31r run --config configs/a.yaml --seed 9 --dataset data --tokenizer tok@1 -- python "
        "train.py configs/a.yaml --seed=9 --tokenizer tok@1\n"));
}

static void test_obs_21__absent_config_file_is_named_with_the_rest(void **state)
{
    (void)state;
    m31r_run_options o = whole();
    m31ri_identity id;
    m31r_error e;
    o.config = "nope.yaml";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_non_null(strstr(e.message, "config (no file nope.yaml)"));
    o.seed = NULL;
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_non_null(strstr(e.message, "config (no file nope.yaml), seed"));
}

static void test_obs_21__each_value_says_its_source(void **state)
{
    (void)state;
    m31ri_identity id;
    m31r_run_options o = whole();
    gather(&o, &id);
    assert_string_equal(id.seed_source, "declared");
    assert_string_equal(id.config_source, "declared");
    assert_string_equal(id.commit_source, "git");
    assert_null(id.dataset_path);
    m31ri_identity_release(&id);

    write_file(
        "m31r.yaml",
        "config_version: 1\nconfig: configs/a.yaml\nseed_key: train.seed\ndataset_key: train.data\n"
        "tokenizer: none\nstage: eval\n");
    m31r_run_options empty = M31R_RUN_OPTIONS_INIT;
    empty.argc = 4;
    empty.argv = plain_argv;
    gather(&empty, &id);
    assert_string_equal(id.seed, "7");
    assert_string_equal(id.seed_source, "config:train.seed");
    assert_string_equal(id.dataset, "rust@1");
    assert_string_equal(id.dataset_source, "config:train.data");
    assert_string_equal(id.tokenizer, "none");
    assert_string_equal(id.tokenizer_source, "project");
    assert_string_equal(id.config_source, "project");
    assert_string_equal(id.stage, "eval");
    m31ri_identity_release(&id);

    empty.seed = "8"; /* an option wins over the config, and the contradiction is said */
    gather(&empty, &id);
    assert_string_equal(id.seed, "8");
    assert_non_null(
        strstr(m31ri_buf_str(&id.warnings), "seed 8 was given, but train.seed of the config is 7"));
    m31ri_identity_release(&id);

    o.seed = NULL;
    remove("m31r.yaml");
    setenv("M31R_SEED", "11", 1);
    gather(&o, &id);
    assert_string_equal(id.seed, "11");
    assert_string_equal(id.seed_source, "declared");
    m31ri_identity_release(&id);
}

static void test_obs_21__none_must_be_said_and_a_trial_says_it(void **state)
{
    (void)state;
    assert_int_equal(chdir("../bare"), 0);
    write_file("train.py", "print(1)\n");
    m31r_run_options o = M31R_RUN_OPTIONS_INIT;
    o.config = o.seed = o.dataset = o.tokenizer = o.commit = "none";
    m31ri_identity id;
    gather(&o, &id);
    assert_int_equal(id.warnings.length, 0);
    assert_non_null(strstr(m31ri_buf_str(&id.config_snapshot), "# no config"));
    m31ri_identity_release(&id);

    m31r_run_options trial = M31R_RUN_OPTIONS_INIT;
    trial.is_trial = true;
    trial.argc = 4;
    trial.argv = plain_argv;
    gather(&trial, &id);
    assert_true(id.is_trial);
    assert_string_equal(id.seed, "none");
    static const char *const said[] = {"trial: no config", "trial: no seed", "trial: no dataset",
                                       "trial: no tokenizer",
                                       "trial: no commit: not in a git work tree"};
    for (size_t i = 0; i < 5; i++) {
        assert_non_null(strstr(m31ri_buf_str(&id.warnings), said[i]));
    }
    m31ri_metadata m;
    assert_int_equal(m31ri_metadata_init(&m, NULL), M31R_OK);
    assert_int_equal(m31ri_identity_describe(&id, &m, NULL), M31R_OK);
    assert_string_equal(json_string_value(m31ri_metadata_get(&m, "kind")), "trial");
    assert_string_equal(json_string_value(m31ri_metadata_get(&m, "git_commit")), "none");
    assert_true(json_is_null(m31ri_metadata_get(&m, "seed")));
    const char *script = json_string_value(m31ri_metadata_get(&m, "code.script.sha256"));
    assert_string_equal(script, "cc42155088fca5730758db72b2a5bca33112a941dfaa2d43098ec422ce4ea213");
    m31ri_metadata_release(&m);
    m31ri_identity_release(&id);
}

static void test_identity__digest_is_of_what_a_run_is(void **state)
{
    (void)state;
    static const char *const same[][8] = {
        {"python", "train.py", "--lr", "3e-4", "--out", "/tmp/x"},
        {"python", "train.py", "--output_dir=/tmp/y", "--lr", "3e-4"},
        {"python", "train.py", "--resume", "--lr", "3e-4", "-o", "z"},
        {"python", "train.py", "--lr", "3e-4", "checkpoint_dir=c"},
    };
    m31r_run_options o = whole();
    m31ri_identity id;
    uint8_t digest[32];
    gather(&o, &id);
    memcpy(digest, id.digest, 32);
    m31ri_identity_release(&id);
    for (size_t i = 0; i < 4; i++) {
        o.argv = same[i];
        for (o.argc = 0; o.argc < 8 && same[i][o.argc] != NULL; o.argc++) {
        }
        setenv("UNRELATED", "1", 1);
        gather(&o, &id);
        assert_memory_equal(digest, id.digest, 32);
        m31ri_identity_release(&id);
    }
    m31r_run_options other[6];
    static const char *const argv[] = {"python", "train.py", "--lr", "3e-5"};
    for (size_t i = 0; i < 6; i++) {
        other[i] = whole();
    }
    other[0].seed = "43";
    other[1].dataset = "rust-src@2026.11";
    other[2].tokenizer = "none";
    other[3].stage = "eval";
    other[4].argv = argv;
    other[5].config = "none";
    for (size_t i = 0; i < 6; i++) {
        gather(&other[i], &id);
        assert_memory_not_equal(digest, id.digest, 32);
        m31ri_identity_release(&id);
    }
    o = whole();
    write_file("train.py", "print(2)\n");
    gather(&o, &id);
    assert_memory_not_equal(digest, id.digest, 32);
    m31ri_identity_release(&id);
}

static void test_identity__paths_inside_the_project_are_relative_in_the_digest(void **state)
{
    (void)state;
    char script[128];
    const char *argv[] = {"python", script, "--lr", "3e-4"};
    uint8_t digests[2][32];
    shell("cp -a ../proj ../other");
    for (int i = 0; i < 2; i++) {
        m31ri_identity id;
        m31r_run_options o = whole();
        assert_int_equal(chdir(i == 0 ? "../proj" : "../other"), 0);
        snprintf(script, sizeof script, "%s/%s/train.py", scratch, i == 0 ? "proj" : "other");
        o.argv = argv;
        o.dataset = "./data";
        gather(&o, &id);
        memcpy(digests[i], id.digest, 32);
        m31ri_identity_release(&id);
    }
    assert_memory_equal(digests[0], digests[1], 32);
}

static void test_identity__bad_values_are_refused_with_a_place(void **state)
{
    (void)state;
    m31ri_identity id;
    m31r_error e;
    m31r_run_options o = whole();
    o.seed = "4x2";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    o = whole();
    o.dataset = "./nowhere";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_string_equal(e.path, "./nowhere");
    o = whole();
    o.stage = "../x";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_ARG);
    o = whole();
    write_file("bad.yaml", "config_version: 1\na: [1, 2\nb: 3\n");
    o.config = "bad.yaml";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_true(e.line > 0);
    write_file("strict.yaml", "config_version: 1\nobservability:\n  levle: INFO\n");
    o.config = "strict.yaml";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    assert_int_equal(e.line, 3);
    o.config = "configs";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_CONFIG);
    o = whole();
    o.resume = "zzz";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_NOTFOUND);
    o.resume = "../../etc";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_ARG);
    o.resume = "";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_ARG);
}

static void make_run(const char *id, const char *end)
{
    char text[800];
    char path[200];
    m31ri_process p = m31ri_process_self();
    snprintf(path, sizeof path, "experiments/%s", id);
    assert_int_equal(m31ri_make_dirs(path, NULL), M31R_OK);
    snprintf(path, sizeof path, "experiments/%s/metadata.json", id);
    snprintf(text, sizeof text,
             "{\"run_id\":\"%s\",\"end\":%s,\"writer\":{\"pid\":%lld,\"start_ticks\":%llu,"
             "\"boot_id\":\"%s\",\"host\":\"%s\"}}",
             id, end, (long long)p.pid, (unsigned long long)p.start_ticks, p.boot_id, p.host);
    write_file(path, text);
}

static void test_identity__resumes_an_ended_run_and_refuses_a_running_one(void **state)
{
    (void)state;
    make_run("20261123T102651Z-00000001", "\"2026-11-23T10:26:51.000000Z\"");
    make_run("20261123T102651Z-00000002", "null");
    m31r_run_options o = whole();
    m31ri_identity id;
    m31r_error e;
    o.resume = "00000002";
    assert_int_equal(m31ri_identity_gather(&o, NULL, true, &id, &e), M31R_E_ARG);
    o.resume = "00000001";
    gather(&o, &id);
    assert_string_equal(id.resume_run_id, "20261123T102651Z-00000001");
    m31ri_metadata m;
    assert_int_equal(m31ri_metadata_init(&m, NULL), M31R_OK);
    assert_int_equal(m31ri_identity_describe(&id, &m, NULL), M31R_OK);
    assert_string_equal(json_string_value(m31ri_metadata_get(&m, "resumes.run")),
                        "20261123T102651Z-00000001");
    assert_true(json_is_null(m31ri_metadata_get(&m, "resumes.step")));
    m31ri_metadata_release(&m);
    m31ri_identity_release(&id);
}

static void read_kept(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t n = fread(out, 1, size - 1, f);
    out[n] = '\0';
    fclose(f);
}

static void test_obs_22__config_of_another_format_is_kept_beside_its_flat_view(void **state)
{
    (void)state;
    static const char *const argv[] = {
        "./train", "--lr=3e-4", "model.depth=4", "--flag",    "--name",         "a: b", "-x",
        "1",       "--lr",      "1e-3",          "--api-key", "hunter2hunter2", "pos"};
    char text[4096];
    m31r_run_options o = whole();
    m31ri_identity id;
    m31ri_metadata m;
    m31ri_run_dir d = {.fd = -1};
    write_file("c.toml", "lr = 1\npassword = \"hunter2hunter2\"\n");
    o.config = "c.toml";
    o.argc = 13;
    o.argv = argv;
    gather(&o, &id);
    assert_int_equal(m31ri_metadata_init(&m, NULL), M31R_OK);
    assert_int_equal(m31ri_identity_describe(&id, &m, NULL), M31R_OK);
    assert_int_equal(mkdir("run", 0777), 0);
    d.fd = open("run", O_RDONLY | O_DIRECTORY);
    assert_int_equal(m31ri_identity_write_files(&id, &d, &m, NULL), M31R_OK);
    read_kept("run/config_snapshot.yaml", text, sizeof text);
    assert_non_null(strstr(text, "lr: [3e-4, 1e-3]\nmodel.depth: 4\nflag: true\n"));
    assert_non_null(strstr(text, "x: 1\n"));
    assert_null(strstr(text, "hunter2"));
    read_kept("run/config_original.toml", text, sizeof text);
    assert_non_null(strstr(text, "lr = 1"));
    assert_null(strstr(text, "hunter2"));
    assert_true(json_is_string(m31ri_metadata_get(&m, "config_original_sha256")));
    assert_true(json_integer_value(m31ri_metadata_get(&m, "privacy.redacted")) >= 2);
    close(d.fd);
    m31ri_metadata_release(&m);
    m31ri_identity_release(&id);
}

static void test_identity__snapshot_is_the_config_with_secrets_out(void **state)
{
    (void)state;
    m31r_run_options o = whole();
    m31ri_identity id;
    write_file("s.json", "{\"lr\": 0.1, \"api_key\": \"abcdefghijkl123456\"}\n");
    o.config = "s.json";
    gather(&o, &id);
    assert_non_null(strstr(m31ri_buf_str(&id.config_snapshot), "\"lr\": 0.1"));
    assert_null(strstr(m31ri_buf_str(&id.config_snapshot), "abcdefghijkl"));
    assert_non_null(strstr(m31ri_buf_str(&id.warnings), "s.json has no config_version"));
    m31ri_identity_release(&id);
}

static void test_identity__does_not_read_a_huge_dataset(void **state)
{
    (void)state;
    m31r_run_options o = whole();
    m31ri_identity id;
    shell("mkdir big && truncate -s 400G big/sparse && echo big/ >>.gitignore");
    o.dataset = "big";
    gather(&o, &id); /* were it read, the test would run out of its time */
    assert_string_equal(id.dataset_path, "big");
    m31ri_identity_release(&id);
}

static void test_identity__survives_every_failed_allocation(void **state)
{
    (void)state;
    m31r_run_options o = whole();
    long n = 1;
    for (int n_whole = 0; n_whole < 3 && n < 20000; n += n < 300 ? 1 : 7) {
        m31ri_identity id;
        m31ri_metadata m;
        m31ri_alloc_fail_at(n, n % 2 == 0);
        m31r_err err = m31ri_identity_gather(&o, NULL, true, &id, NULL);
        if (err == M31R_OK) {
            if (m31ri_metadata_init(&m, NULL) == M31R_OK) {
                m31ri_identity_describe(&id, &m, NULL);
                m31ri_metadata_release(&m);
            }
            n_whole++;
            m31ri_identity_release(&id);
        }
        m31ri_alloc_fail_at(0, 0);
        assert_true(err == M31R_OK || err == M31R_E_NOMEM || err == M31R_E_CONFIG);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_obs_21__refusal_names_everything_missing_at_once),
        TEST(test_obs_21__hint_is_filled_with_what_the_arguments_and_files_say),
        TEST(test_obs_21__absent_config_file_is_named_with_the_rest),
        TEST(test_obs_21__each_value_says_its_source),
        TEST(test_obs_21__none_must_be_said_and_a_trial_says_it),
        TEST(test_identity__digest_is_of_what_a_run_is),
        TEST(test_identity__paths_inside_the_project_are_relative_in_the_digest),
        TEST(test_identity__bad_values_are_refused_with_a_place),
        TEST(test_identity__resumes_an_ended_run_and_refuses_a_running_one),
        TEST(test_obs_22__config_of_another_format_is_kept_beside_its_flat_view),
        TEST(test_identity__snapshot_is_the_config_with_secrets_out),
        TEST(test_identity__does_not_read_a_huge_dataset),
        TEST(test_identity__survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
