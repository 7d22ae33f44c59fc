using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text;
using Overlay.Metadata.Tests.Support;

namespace Overlay.Fuzz;

/// <summary>overlay-ctl with odd arguments, NUL-separated: a documented exit code, and never a stack trace.</summary>
internal sealed class CommandLineTarget : Target, IDisposable
{
    private static readonly int[] s_exitCodes = [0, 1, 2, 3, 4, 5, 6, 126, 127];

    private static readonly string[] s_verbs = ["init", "run", "trace", "agent", "status", "inspect", "--help", "--version", ""];

    private readonly TestVolume _volume = new();
    private readonly string _control;
    private readonly string[] _words;

    /// <param name="control">The built overlay-ctl.</param>
    public CommandLineTarget(string control)
    {
        _control = control;
        File.WriteAllText(_volume.At("phrase"), "correct horse\n");
        File.WriteAllBytes(_volume.At("file"), new byte[5000]);
        _words =
        [
            .. s_verbs, "--volume", "--key-file", "--passphrase-file", "--passphrase-fd", "--store", "--cipher", "--compression", "--block-size",
            "--non-empty", "--json", "--output", "--wait", "--allow-static", "--strict", "--autostart", "--ready-fd", "--volumes", "-h", "-?", "--", "-", "=", "@file",
            "true", "false", "/bin/true", "0", "-1", "99999999999999999999", "16384", "4096", "aes-256-gcm", "lz4", "none", "ä\u0301", "%s%n", "a b", "/", ".", "..",
            "/dev/null", "/dev/zero", "77", "/nonexistent/x", "/proc/self/mem", "[diagram]", "[suggest]", "[env:A=B]", _volume.Root, _volume.KeyFile, _volume.At("phrase"), _volume.At("file"),
            _volume.At("new"), _volume.StorePath, new string('x', 5000),
        ];
    }

    public override string Name => "command-line";

    public override double Percent => 0.2;

    public override IReadOnlyList<byte[]> Seeds { get; } = [[]];

    public override byte[] Make(Mutator mutator)
    {
        Random random = mutator.Random;
        List<string> words = [s_verbs[random.Next(s_verbs.Length)]];
        for (int i = random.Next(7); i > 0; i--)
        {
            string word = _words[random.Next(_words.Length)];
            words.Add(random.Next(8) == 0 ? word + "=" + _words[random.Next(_words.Length)] : random.Next(16) == 0 && word.Length > 1 ? word[1..] : word);
        }
        // Only a listener that ends by itself.
        if (words.Contains("agent"))
            words.Add("--autostart");
        // Far enough for keys to be looked at.
        if (words.Contains("run") && random.Next(3) == 0)
            words = ["run", "--volume", _volume.Root, random.Next(2) == 0 ? "--passphrase-fd" : "--passphrase-file", _words[random.Next(_words.Length)], "--", "true"];
        else if (words.Contains("run") && random.Next(2) == 0)
            words.AddRange(["--volume", _volume.Root, "--key-file", _volume.KeyFile, "--", "true"]);
        return Encoding.UTF8.GetBytes(string.Join('\0', words));
    }

    public override void Run(byte[] input)
    {
        ProcessStartInfo start = new(_control)
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _volume.At("."),
        };
        foreach (string word in Encoding.UTF8.GetString(input).Split('\0'))
            start.ArgumentList.Add(word);
        start.Environment["OVERLAY_RUNTIME_DIR"] = _volume.At("runtime");
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        System.Threading.Tasks.Task<string> output = process.StandardOutput.ReadToEndAsync();
        System.Threading.Tasks.Task<string> error = process.StandardError.ReadToEndAsync();
        bool mayServe = start.ArgumentList.Contains("agent");
        bool hasEnded = process.WaitForExit(mayServe ? 1000 : 20_000);
        if (!hasEnded)
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            if (!mayServe)
                throw new FindingException("it does not end");
            return;
        }
        string said = output.Result + error.Result;
        if (!s_exitCodes.Contains(process.ExitCode))
            throw new FindingException($"exit code {process.ExitCode}: {said[..Math.Min(said.Length, 500)]}");
        if (said.Contains("   at ", StringComparison.Ordinal) || said.Contains("Unhandled", StringComparison.Ordinal) ||
            said.Contains("a fault of overlay-ctl itself", StringComparison.Ordinal))
            throw new FindingException($"a stack trace: {said[..Math.Min(said.Length, 1500)]}");
        if (process.ExitCode is > 1 and < 7 && said.Length == 0)
            throw new FindingException($"exit code {process.ExitCode} without a word");
    }

    public void Dispose() => _volume.Dispose();
}
