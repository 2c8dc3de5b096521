"""m31r lineage --as prov|rocrate: what other tools make of it; cycles, renamed and missing files."""
import json
import os
import re
import shutil
import subprocess
import sys

from keep_harness import Run, make_all, make_shards, make_tokenizer, need, test

RUN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}(-\d+)?")


def document(place, target, form, folder="."):
    done = place.do("lineage", target, "--as", form, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def check_prov(doc):
    """Every relation joins an activity and an entity that are there."""
    assert set(doc) == {"prefix", "entity", "activity", "used", "wasGeneratedBy"}, set(doc)
    for kind in ("used", "wasGeneratedBy"):
        for name, relation in doc[kind].items():
            assert name.startswith("_:"), name
            assert relation["prov:activity"] in doc["activity"], relation
            assert relation["prov:entity"] in doc["entity"], relation
    names = set(doc["used"]) | set(doc["wasGeneratedBy"])
    assert len(names) == len(doc["used"]) + len(doc["wasGeneratedBy"])
    for name in list(doc["entity"]) + list(doc["activity"]):
        assert name.split(":")[0] in doc["prefix"], name


def check_crate(doc):
    """What RO-Crate 1.2 demands of a graph, and that every reference leads somewhere."""
    assert doc["@context"] == "https://w3id.org/ro/crate/1.2/context"
    graph = {entity["@id"]: entity for entity in doc["@graph"]}
    assert len(graph) == len(doc["@graph"]), "an @id stands twice"
    descriptor = graph["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.2"}
    root = graph[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset" and all(root[k] for k in ("name", "description", "datePublished", "license"))
    parts = {p["@id"] for p in root["hasPart"]}
    assert parts == {i for i, entity in graph.items() if entity["@type"] == "File"}
    for entity in graph.values():
        for key in ("object", "result", "instrument", "license", "hasPart", "mentions"):
            values = entity.get(key, [])
            for value in values if isinstance(values, list) else [values]:
                assert value["@id"] in graph, (entity["@id"], key, value)
    return graph


def judge_by_others(place, prov, crate):
    """Validators that are not ours, where they are installed: M31R_VALIDATORS names their Python."""
    python = os.environ.get("M31R_VALIDATORS")
    if not python:
        return
    place.write("prov.json", json.dumps(prov))
    os.makedirs(place.file("experiments"), exist_ok=True)
    place.write("experiments/ro-crate-metadata.json", json.dumps(crate))
    done = subprocess.run([python, "-c", "import sys, prov.model as m; d = m.ProvDocument.deserialize(sys.argv[1]);"
                           "print(len(d.get_records()), len(d.unified().get_records()))", "prov.json"],
                          cwd=place.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([python, "-c", "import sys; from rocrate.rocrate import ROCrate; c = ROCrate('experiments');"
                           "print(len(c.contextual_entities), len(c.data_entities))"],
                          cwd=place.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@test
def lineage_of_the_pipeline_as_prov_and_as_crate(place):
    run = make_all(place)
    target = os.path.relpath(run.file("checkpoints/" + sorted(os.listdir(run.file("checkpoints")))[-1]), place.path)
    prov, crate = document(place, target, "prov"), document(place, target, "rocrate")
    check_prov(prov)
    graph = check_crate(crate)
    assert len(prov["activity"]) == 3, prov["activity"]  # data, tokenizer, train
    digest = next(a["sha256"] for a in run.metadata["artifacts"] if a["role"] == "checkpoint")
    made = [r for r in prov["wasGeneratedBy"].values() if r["prov:entity"] == "m31r:sha256-" + digest]
    assert [r["prov:activity"] for r in made] == ["m31r:run-" + run.id]
    action = graph["#run-" + run.id]
    results = [graph[r["@id"]] for r in action["result"]]
    assert digest in [r.get("sha256") for r in results]
    for result in results:  # they lie where the crate says
        assert os.path.exists(place.file("experiments/" + result["@id"])), result
    # What the training read is what the run before made: one entity.
    read = {o["@id"] for o in action["object"]}
    made_before = {r["@id"] for i, e in graph.items() if e["@type"] == "CreateAction" and i != "#run-" + run.id
                   for r in e["result"]}
    assert read & made_before, (read, made_before)
    judge_by_others(place, prov, crate)


@test
def lineage_finds_a_file_by_its_bytes_wherever_it_went(place):
    run = make_all(place)
    shutil.copy(run.file("checkpoints/step_000012.bin"), place.file("renamed model.bin"))
    shutil.rmtree(run.file("checkpoints"))
    done = place.do("lineage", "renamed model.bin", "--json", folder=".")
    assert done.returncode == 0, done.stdout + done.stderr
    kin = {r["run_id"]: r["kin"] for r in json.loads(done.stdout)["runs"]}
    assert kin[run.id] == "self" and sorted(kin.values()) == ["ancestor", "ancestor", "self"], kin
    with open(place.file("renamed model.bin"), "ab") as f:
        f.write(b"x")
    done = place.do("lineage", "renamed model.bin", folder=".")
    assert done.returncode == 1 and "renamed model.bin" in done.stderr, done.stdout + done.stderr


@test
def lineage_with_a_cycle_and_a_missing_parent(place):
    run = make_all(place)
    path = run.file("metadata.json")
    os.chmod(path, 0o644)
    metadata = run.metadata
    made = next(a for a in metadata["artifacts"] if a["role"] == "checkpoint")
    metadata["artifacts"].append({**made, "role": "input"})  # it read what it wrote
    metadata["parents"].append(run.id)
    data = next(r for r in place.runs("data"))
    other = Run(data)
    other_metadata = other.metadata
    other_metadata["parents"] = [run.id]  # and its ancestor descends from it
    other_metadata["artifacts"].append({**made, "role": "input", "run": run.id})
    for p, m in ((path, metadata), (other.file("metadata.json"), other_metadata)):
        os.chmod(p, 0o644)
        with open(p, "w") as f:
            json.dump(m, f)
    done = place.do("lineage", run.id, "--json", folder=".")
    runs = json.loads(done.stdout)["runs"]
    assert len(runs) == 3 and len({r["run_id"] for r in runs}) == 3, runs
    check_prov(document(place, run.id, "prov"))
    check_crate(document(place, run.id, "rocrate"))
    tokenizer = place.runs("tokenizer")[0]
    shutil.rmtree(tokenizer)
    done = place.do("lineage", run.id, "--json", folder=".")
    assert done.returncode == 4, done.stdout
    found = json.loads(done.stdout)
    assert found["broken"] >= 1 and "not here" in done.stdout, found
    done = place.do("lineage", run.id, "--as", "prov", folder=".")
    assert done.returncode == 4, done.stdout
    check_prov(json.loads(done.stdout))
