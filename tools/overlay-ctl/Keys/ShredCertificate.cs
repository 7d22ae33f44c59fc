using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Overlay.Crypto;
using Overlay.Metadata.Keys;

namespace Overlay.Ctl.Keys;

/// <summary>
/// {"payload": {…}, "signature": {"algorithm": "ed25519", "publicKey": "overlay-sign-1…", "value": base64}}: the signature is over the bytes of
/// the payload, from its first brace to its last, as they are in the file.
/// </summary>
internal sealed class ShredCertificate : IDisposable
{
    internal const string Type = "overlay-shred-certificate";

    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly ShredRun _run;
    private readonly FileStream _file;
    private bool _isComplete;

    private ShredCertificate(string path, ShredRun run)
    {
        Path = path;
        _run = run;
        _file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read);
    }

    internal string Path { get; }

    /// <exception cref="IOException">There is a file of that name, or none can be made.</exception>
    internal static ShredCertificate Begin(string path, ShredRun run) => new(path, run);

    internal void Complete()
    {
        byte[] payload = Payload();
        using SigningKey key = VolumeSigning.Open(_run.Volume.Unlocked);
        string signature = $"{{\"algorithm\": \"ed25519\", \"publicKey\": \"{VolumeSigning.Text(key.PublicKey)}\", \"value\": \"{Convert.ToBase64String(key.Sign(payload))}\"}}";
        _file.Write("{\"payload\": "u8);
        _file.Write(payload);
        _file.Write(Encoding.UTF8.GetBytes($",\n\"signature\": {signature}}}\n"));
        _file.Flush(flushToDisk: true);
        _isComplete = true;
    }

    public void Dispose()
    {
        _file.Dispose();
        if (!_isComplete)
            File.Delete(Path);
    }

    private byte[] Payload()
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter writer = new(text, s_options))
        {
            writer.WriteStartObject();
            writer.WriteString("type", Type);
            writer.WriteNumber("version", 1);
            writer.WriteString("number", _run.Number);
            writer.WriteString("issued", Time(DateTimeOffset.UtcNow));
            writer.WriteString("volumeId", Convert.ToHexStringLower(_run.Volume.Unlocked.VolumeId.Span));
            writer.WriteString("volume", _run.Volume.Unlocked.Root);
            writer.WriteString("method", "the files' keys were deleted from the key store, whose file was then rewritten and searched for the wrapped keys; the files' content remains as ciphertext");
            WriteFiles(writer);
            WriteStore(writer);
            WritePrograms(writer);
            writer.WriteStartArray("notCovered");
            writer.WriteStringValue("copies of the store that are not listed here: snapshots of its file system, copies made by hand, and what a disk keeps of overwritten places");
            writer.WriteStringValue("keys and content in the memory of programs that had read the files, and what they wrote elsewhere");
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return text.ToArray();
    }

    private void WriteFiles(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("files");
        foreach (ShreddedKey key in _run.Keys)
        {
            writer.WriteStartObject();
            writer.WriteString("path", key.Path);
            writer.WriteString("fileId", Convert.ToHexStringLower(key.FileId));
            writer.WriteString("result", key.IsThere ? "destroyed" : "destroyed before");
            if (key.Suite is CipherSuite suite)
                writer.WriteString("cipher", suite.Name());
            if (key.Created is DateTimeOffset created)
                writer.WriteString("keyCreated", Time(created));
            if (key.DestroyedBefore is DateTimeOffset before)
                writer.WriteString("destroyedBefore", Time(before));
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }

    private void WriteStore(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("stores");
        Write(writer, _run.Store!, "store");
        _run.Copies.ForEach(copy => Write(writer, copy, "backup"));
        writer.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter writer, CopyResult copy, string role)
    {
        writer.WriteStartObject();
        writer.WriteString("path", copy.Path);
        writer.WriteString("role", role);
        writer.WriteString("state", copy.State.ToString().ToLowerInvariant());
        writer.WriteNumber("bytesSearched", copy.Scanned);
        writer.WriteNumber("wrappedKeysFound", copy.Left);
        writer.WriteEndObject();
    }

    private void WritePrograms(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("verification");
        writer.WriteBoolean("filesDoNotOpen", true);
        writer.WriteString("agent", _run.AgentRefuses is null ? "none answered" : "refuses");
        writer.WriteString("openFiles", _run.OpenFilesFail ? "fail" : "finish");
        writer.WriteBoolean("programsWereTold", _run.ProgramsWereTold);
        writer.WriteStartArray("openIn");
        foreach ((int process, string name) in _run.OpenBy)
        {
            writer.WriteStartObject();
            writer.WriteNumber("processId", process);
            writer.WriteString("name", name);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
}
