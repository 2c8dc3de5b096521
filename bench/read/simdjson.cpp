/* simdjson.cpp - the queries of bench/read with simdjson's On-Demand parser, one thread.
 *
 * usage: simdjson QUERY FILE, QUERY being count, error, step, module_level, latency
 */
#include <simdjson.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <string>
#include <vector>

using namespace simdjson;

static bool is_error(ondemand::object &record)
{
    std::string_view level;
    return !record["level"].get_string().get(level) && (level == "ERROR" || level == "CRITICAL");
}

static void step_and_loss(ondemand::object &record, std::string &out)
{
    std::string_view module;
    int64_t step;
    double loss;
    char line[96];
    if (!record["module"].get_string().get(module) && module == "trainer" &&
        !record["step"].get_int64().get(step) && step >= 100000 && step <= 200000 &&
        !record["loss"].get_double().get(loss)) {
        out.append(line, (size_t)snprintf(line, sizeof line, "{\"step\":%lld,\"loss\":%.9g}\n",
                                          (long long)step, loss));
    }
}

static void count_group(ondemand::object &record, std::map<std::string, long> &groups)
{
    std::string_view level, module;
    if (!record["level"].get_string().get(level) && !record["module"].get_string().get(module)) {
        groups[std::string(module) + "," + std::string(level)]++;
    }
}

static void take_latency(ondemand::object &record, std::vector<double> &values)
{
    std::string_view message;
    double latency;
    if (!record["msg"].get_string().get(message) && message == "request" &&
        !record["latency_ms"].get_double().get(latency)) {
        values.push_back(latency);
    }
}

static void print_latency(std::vector<double> &v)
{
    double sum = 0;
    for (double x : v) {
        sum += x;
    }
    auto at = [&v](double q) {
        size_t k = (size_t)(q * (double)v.size());
        std::nth_element(v.begin(), v.begin() + (long)k, v.end());
        return v[k];
    };
    printf("%g %g %g\n", sum / (double)v.size(), at(0.5), at(0.99));
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        return 1;
    }
    std::string query = argv[1];
    padded_string text = padded_string::load(argv[2]);
    ondemand::parser parser;
    ondemand::document_stream lines = parser.iterate_many(text, 1 << 20);
    std::map<std::string, long> groups;
    std::vector<double> values;
    std::string out;
    long n = 0;
    for (auto it = lines.begin(); it != lines.end(); ++it) {
        ondemand::document_reference line = *it;
        ondemand::object record;
        if (query == "count") {
            n++;
        } else if (line.get_object().get(record)) {
            continue;
        } else if (query == "error") {
            if (is_error(record)) {
                const char *start = text.data() + it.current_index();
                const void *end = std::memchr(start, '\n', text.size() - it.current_index());
                out.append(start, (const char *)end - start + 1);
            }
        } else if (query == "step") {
            step_and_loss(record, out);
        } else if (query == "module_level") {
            count_group(record, groups);
        } else {
            take_latency(record, values);
        }
    }
    fwrite(out.data(), 1, out.size(), stdout);
    for (auto &group : groups) {
        printf("%s %ld\n", group.first.c_str(), group.second);
    }
    if (query == "count") {
        printf("%ld\n", n);
    } else if (query == "latency") {
        print_latency(values);
    }
    return 0;
}
