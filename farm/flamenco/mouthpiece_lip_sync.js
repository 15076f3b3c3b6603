// SPDX-License-Identifier: GPL-3.0-or-later
//
// A job type for Flamenco 3.5 and newer: lip sync for many shots on a farm, and their rendering where wanted.
// It belongs into the folder `scripts` beside Flamenco Manager. docs/headless.md says what each setting does.
//
// Every path is a parameter of its own and begins with the path: only then does Flamenco translate it for workers of
// another system.

const JOB_TYPE = {
    label: "Mouthpiece Lip Sync",
    description: "Let characters speak in one .blend file, in several, or in all shots of a job file",
    settings: [
        { key: "blendfile", type: "string", visible: "web",
          description: "The submitted .blend file, spoken unless other files or a job file are named" },
        { key: "files", type: "string", visible: "submission",
          description: "Other .blend files to speak instead of this one, with a semicolon between them" },
        { key: "job_file", type: "string", subtype: "file_path", visible: "submission",
          description: "A Mouthpiece job file (.toml) to do instead, as for the command `mouthpiece batch`" },
        { key: "shots", type: "string", visible: "submission",
          eval: "f\"1-{len(__import__('tomllib').loads(abspath(settings.job_file).read_text('utf-8'))['shots'])}\""
              + " if settings.job_file else ''",
          evalInfo: { showLinkButton: true, description: "All shots of the job file" },
          description: "Which shots of the job file to do, counted from 1. Examples: '1-12', '3, 5-7'" },
        { key: "shots_per_task", type: "int32", default: 1, propargs: { min: 1 }, visible: "submission",
          description: "How many shots of the job file one task speaks" },
        { key: "options", type: "string", visible: "submission",
          description: "Options of `mouthpiece generate` for .blend files, such as --object Anna --mode nla" },
        { key: "output_folder", type: "string", subtype: "dir_path", visible: "submission",
          description: "Where spoken .blend files are saved, under their own names. Empty: in place" },
        { key: "render", type: "bool", default: false, visible: "submission",
          description: "Render the files once they are spoken" },
        { key: "frames", type: "string", visible: "submission",
          eval: "'' if settings.files or settings.job_file else f'{C.scene.frame_start}-{C.scene.frame_end}'",
          evalInfo: { showLinkButton: true, description: "Scene frame range" },
          description: "Which frames to render. Empty: each file's own range, in one task" },
        { key: "chunk_size", type: "int32", default: 10, propargs: { min: 1 }, visible: "submission",
          description: "How many frames one task renders" },
        { key: "render_output_root", type: "string", subtype: "dir_path", visible: "submission",
          description: "Folder for pictures. Each job makes a folder in it, and in that one for each .blend file" },
        { key: "render_format", type: "string", choices: ["PNG", "JPEG", "OPEN_EXR", "TIFF", "WEBP"], default: "PNG",
          visible: "submission", description: "Format of the pictures" },
        { key: "spoken_files", type: "string", visible: "web",
          eval: "'\\n'.join(map(lambda shot, folder=abspath(settings.job_file).parent:"
              + " str(folder / shot.get('output', shot['file'])),"
              + " __import__('tomllib').loads(abspath(settings.job_file).read_text('utf-8'))['shots']))"
              + " if settings.job_file else ''",
          description: "Where the job file's shots are saved, one a line in their order; only needed to render them" },
    ],
};

function compileJob(job) {
    const settings = job.settings;
    const spoken = settings.job_file ? speakJobFile(job, settings) : speakFiles(job, settings);
    if (settings.render) {
        renderAll(job, settings, spoken);
    }
}

// Each of these gives what was spoken: the file in which it is saved, and the task that does it.

function speakFiles(job, settings) {
    const files = listed(settings.files, ";");
    if (files.length === 0 && settings.blendfile) {
        files.push(settings.blendfile);
    }
    if (files.length === 0) {
        throw "There is nothing to speak. Name .blend files in `files`, or a job file in `job_file`.";
    }
    if (settings.output_folder) {
        checkNames(files);
    }
    return files.map((file) => {
        const output = settings.output_folder ? path.join(settings.output_folder, `${title(file)}.blend`) : file;
        const target = output === file ? [] : ["--output", output];
        const options = shellSplit(settings.options || "");
        return { file: output, task: speak(job, title(file), file, ["generate"].concat(target, options)) };
    });
}

function speakJobFile(job, settings) {
    if (settings.files || settings.options || settings.output_folder) {
        throw "A job file says itself what is spoken, how, and where it is saved. Leave `files`, `options` and "
            + "`output_folder` empty, or `job_file`.";
    }
    if (!settings.shots) {
        throw "Say in `shots` which shots of the job file are to be done, such as 1-12.";
    }
    const spoken = [];
    const saved = listed(settings.spoken_files, "\n");
    for (const chunk of frameChunker(settings.shots, settings.shots_per_task || 1)) {
        const task = speak(job, `shots ${chunk}`, "", ["batch", settings.job_file, "--shots", chunk]);
        for (const number of frameChunker(chunk, 1)) {
            spoken.push({ file: saved[number - 1], task: task });
        }
    }
    return spoken;
}

function speak(job, title, blendfile, args) {
    const task = author.Task(`speak ${title}`, "blender");
    task.addCommand(blender(blendfile, ["--command", "mouthpiece"].concat(args, ["--json"])));
    job.addTask(task);
    return task;
}

function renderAll(job, settings, spoken) {
    if (!settings.render_output_root) {
        throw "Name the folder for the pictures in `render_output_root`.";
    }
    if (spoken.some((one) => !one.file)) {
        throw "`spoken_files` does not name every shot's file, so they cannot be rendered.";
    }
    checkNames(spoken.map((one) => one.file));
    const folder = path.join(settings.render_output_root, formatTimestampLocal(job.created));
    const chunks = settings.frames ? frameChunker(settings.frames, settings.chunk_size || 10) : [""];
    for (const one of spoken) {
        for (const chunk of chunks) {
            render(job, settings, one, path.join(folder, title(one.file), "######"), chunk);
        }
    }
}

function render(job, settings, spoken, pictures, chunk) {
    const frames = chunk ? ["--render-frame", chunk.split("-").join("..")] : ["--render-anim"];
    const args = ["--render-output", pictures, "--render-format", settings.render_format || "PNG"].concat(frames);
    const task = author.Task(`render ${title(spoken.file)} ${chunk}`, "blender");
    task.addCommand(blender(spoken.file, args));
    task.addDependency(spoken.task);
    job.addTask(task);
}

function blender(blendfile, args) {
    return author.Command("blender-render", {
        exe: "{blender}", exeArgs: "{blenderArgs}", argsBefore: [], blendfile: blendfile, args: args,
    });
}

function listed(text, separator) {
    return (text || "").split(separator).map((part) => part.trim()).filter((part) => part !== "");
}

// A file's name; Flamenco packs shot.blend as shot.flamenco.blend.
function title(file) {
    return path.stem(file).replace(/\.flamenco$/, "");
}

// Files that are named alike would be saved or rendered over each other.
function checkNames(files) {
    const titles = files.map(title);
    const twice = titles.find((one, number) => titles.indexOf(one) !== number);
    if (twice) {
        throw `Two files are named ${twice}. Speak them in jobs of their own.`;
    }
}
