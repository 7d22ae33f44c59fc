using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Overlay.Crypto;
using Overlay.Ctl.Verify;
using Overlay.Metadata.Keys;
using Overlay.Metadata.Store;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl.Keys;

/// <summary>shred --verify: whose signature a certificate has, and whether what it says still holds.</summary>
internal static class ShredVerification
{
    internal static int Run(string path, ParseResult parsed, ShredCommand.Options options)
    {
        using JsonDocument document = Parse(path, out JsonElement payload, out byte[] signer);
        string signerText = VolumeSigning.Text(signer);
        byte[]? expected = parsed.GetValue(options.Signer) is string text
            ? VolumeSigning.TryParse(text) ?? throw new ControlException(ExitCodes.Usage, "--signer: this is not a public key (overlay-sign-1…), or a character of it is wrong.")
            : null;
        string? root = parsed.GetValue(options.Volume);
        bool isTrusted = expected is not null;
        if (expected is not null && !Secret.Same(expected, signer))
            throw new ControlException(ExitCodes.Damaged, $"{path}: it was signed by {signerText}, not by the given key.");
        if (root is not null)
            isTrusted |= CheckVolume(path, payload, signer, root);
        Console.WriteLine($"{path}: the signature is right; signed by {signerText}, {payload.GetProperty("issued").GetString()}, {payload.GetProperty("files").GetArrayLength()} files.");
        if (isTrusted)
            return ExitCodes.Ok;
        Console.Error.WriteLine("overlay-ctl: whose key that is was not checked: give --volume, or --signer.");
        return ExitCodes.Unchecked;
    }

    private static JsonDocument Parse(string path, out JsonElement payload, out byte[] signer)
    {
        JsonDocument? document = null;
        try
        {
            document = JsonDocument.Parse(File.ReadAllBytes(path));
            payload = document.RootElement.GetProperty("payload");
            JsonElement signature = document.RootElement.GetProperty("signature");
            signer = VolumeSigning.TryParse(signature.GetProperty("publicKey").GetString() ?? "") ?? [];
            bool isOurs = payload.GetProperty("type").GetString() == ShredCertificate.Type && payload.GetProperty("version").GetInt32() == 1
                && signature.GetProperty("algorithm").GetString() == "ed25519" && document.RootElement.EnumerateObject().Count() == 2;
            // The bytes as they are in the file: nothing is written anew.
            if (isOurs && SigningKey.Verify(signer, Encoding.UTF8.GetBytes(payload.GetRawText()), signature.GetProperty("value").GetBytesFromBase64()))
                return document;
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            document?.Dispose();
            throw new ControlException(ExitCodes.Damaged, $"{path} is not a certificate: {exception.Message}");
        }
        document.Dispose();
        throw new ControlException(ExitCodes.Damaged, $"{path}: the signature does not fit: the certificate was changed, or is not one.");
    }

    /// <summary>Without a key: what the store says.</summary>
    private static bool CheckVolume(string path, JsonElement payload, byte[] signer, string root)
    {
        using MetadataStore store = VolumeUnlocker.OpenStore(root);
        if (payload.GetProperty("volumeId").GetString() != Convert.ToHexStringLower(store.Volume.Id.Span))
            throw new ControlException(ExitCodes.Damaged, $"{path} is of another volume.");
        if (VolumeSigning.TryReadPublicKey(store.Connection) is not byte[] known || !Secret.Same(known, signer))
            throw new ControlException(ExitCodes.Damaged, $"{path}: it was not signed with the key of {root}.");
        foreach (JsonElement file in payload.GetProperty("files").EnumerateArray())
        {
            byte[] fileId = Convert.FromHexString(file.GetProperty("fileId").GetString()!);
            if (store.TryFindFile(fileId) is not null)
                throw new ControlException(ExitCodes.Damaged, $"{FindingText.Escape(file.GetProperty("path").GetString()!)}: the store has a key of this file again: an older copy of it was put back.");
        }
        return true;
    }
}
