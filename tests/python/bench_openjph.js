// Cornerstone's OpenJPH (WebAssembly): loads codestreams, then says how long decoding them all takes, per frame.
// Questions and answers are lines of JSON.
const fs = require("fs");
const readline = require("readline");
const factory = require("@cornerstonejs/codec-openjph");

const spent = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
};

async function main() {
    const module = await factory();
    const decoder = new module.HTJ2KDecoder();
    let frames = [];
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const question = JSON.parse(line);
        if (question.load) {
            frames = question.load.map((name) => fs.readFileSync(name));
            console.log(JSON.stringify({ loaded: frames.length }));
            continue;
        }
        const start = spent();
        for (const frame of frames) {
            decoder.getEncodedBuffer(frame.length).set(frame);
            decoder.decode();
            // Its user takes the samples out of the module's memory.
            decoder.getDecodedBuffer().slice();
        }
        console.log(JSON.stringify({ ms: (spent() - start) / frames.length }));
    }
}

main();
