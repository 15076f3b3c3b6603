// SPDX-License-Identifier: GPL-3.0-or-later
//
// What Flamenco Manager puts around a job type's script, by its documented rules: the names that it gives to scripts,
// and that a task counts as it is when it is added to the job. `python` is a door to the test.

const print = () => undefined;
const alert = print;
const process = { platform: "linux", cwd: () => "/" };
const ask = (what, ...values) => {
    const answer = JSON.parse(python(what, JSON.stringify(values)));
    if (answer.error) {
        throw answer.error;
    }
    return answer.value;
};
const frameChunker = (frames, size) => ask("frameChunker", frames, size);
const shellSplit = (line) => ask("shellSplit", line);
const formatTimestampLocal = (time) => ask("formatTimestampLocal", time);
const path = {};
for (const name of ["basename", "dirname", "join", "stem"]) {
    path[name] = (...parts) => ask(name, ...parts);
}

const author = {
    number: 0,
    Task(name, type) {
        if (!name.trim() || !type.trim()) {
            throw "author.Task(name, type): both are required";
        }
        const task = { uuid: `task ${++author.number}`, name: name.trim(), type: type.trim(), commands: [], needs: [] };
        task.addCommand = (command) => task.commands.push(command);
        task.addDependency = (other) => task.needs.push(other.uuid);
        return task;
    },
    Command: (name, parameters) => ({ name: name, parameters: parameters }),
};

function compiled(description) {
    const job = JSON.parse(description);
    job.tasks = [];
    job.addTask = (task) => job.tasks.push(JSON.parse(JSON.stringify(task)));
    compileJob(job);
    return JSON.stringify(job.tasks);
}
