using System;
using System.Buffers;
using System.Text.Json;

namespace Overlay.Metadata.Volumes;

/// <summary>config.json of a volume (format §1): what is needed to find its store, and nothing secret.</summary>
public sealed class VolumeConfig
{
    public const int Format = 1;
    private const int MaxSize = 64 * 1024;

    /// <param name="volumeId">16 bytes.</param>
    /// <param name="store">Relative to .overlay, or absolute.</param>
    /// <param name="blockSize">Of new files; a copy for the shim's arithmetic (format §8), the store has the truth. 0: not told.</param>
    internal VolumeConfig(byte[] volumeId, string store, int blockSize = 0)
    {
        VolumeId = volumeId;
        Store = store;
        BlockSize = blockSize;
    }

    /// <summary>Bytes in a block of new files; 0 when it was read back, where nobody asks.</summary>
    internal int BlockSize { get; }

    /// <summary>16 bytes.</summary>
    public byte[] VolumeId { get; }

    /// <summary>Relative to .overlay, or absolute.</summary>
    public string Store { get; }

    /// <summary>The configuration of the volume at <paramref name="root"/>; a <see cref="VolumeException"/> if it is none.</summary>
    public static VolumeConfig Load(string root)
    {
        VolumePaths paths = new(root);
        if (!VolumeFiles.IsDirectory(paths.Root))
            throw new VolumeException(VolumeError.NotADirectory, $"{paths.Root} is not a directory.");
        if (VolumeFiles.TryRead(paths.Config, MaxSize) is byte[] json)
            return Parse(json, paths.Config);
        if (VolumeFiles.Exists(paths.UnfinishedConfig))
            throw new VolumeException(VolumeError.HalfMade, $"Making the volume {paths.Root} was interrupted; make it again.");
        throw new VolumeException(VolumeError.NotAVolume, $"{paths.Root} is not an Overlay volume.");
    }

    /// <summary>What an interrupted attempt at making a volume meant to write; null if it did not get that far.</summary>
    internal static VolumeConfig? TryLoadUnfinished(VolumePaths paths)
    {
        if (VolumeFiles.TryRead(paths.UnfinishedConfig, MaxSize) is not byte[] json)
            return null;
        try
        {
            return Parse(json, paths.UnfinishedConfig);
        }
        catch (VolumeException e) when (e.Error == VolumeError.ConfigDamaged)
        {
            return null;
        }
    }

    internal byte[] ToJson()
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter writer = new(buffer))
        {
            writer.WriteStartObject();
            writer.WriteNumber("format"u8, Format);
            writer.WriteString("volumeId"u8, Convert.ToHexStringLower(VolumeId));
            writer.WriteString("store"u8, Store);
            if (BlockSize != 0)
                writer.WriteNumber("blockSize"u8, BlockSize);
            writer.WriteEndObject();
        }
        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    internal static VolumeConfig Parse(ReadOnlySpan<byte> json, string path)
    {
        int? format = null;
        string? volumeId = null, store = null;
        try
        {
            Utf8JsonReader reader = new(json);
            ReadMembers(ref reader, ref format, ref volumeId, ref store);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new VolumeException(VolumeError.ConfigDamaged, $"{path} is not a configuration: {e.Message}", e);
        }
        if (format > Format)
            throw new VolumeException(VolumeError.TooNew, $"{path} has format {format}; this Overlay knows {Format}.");
        if (format != Format || string.IsNullOrEmpty(store) || store.Contains('\0') || !TryParseId(volumeId, out byte[] id))
            throw new VolumeException(VolumeError.ConfigDamaged, $"{path} lacks format, volumeId or store, or has an unsound one.");
        return new VolumeConfig(id, store);
    }

    /// <summary>Members of other names are left to later versions, which may add what we need not know.</summary>
    private static void ReadMembers(ref Utf8JsonReader reader, ref int? format, ref string? volumeId, ref string? store)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an object is expected");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string? name = reader.GetString();
            reader.Read();
            if (name == "format")
                format = reader.GetInt32();
            else if (name == "volumeId")
                volumeId = reader.GetString();
            else if (name == "store")
                store = reader.GetString();
            else
                reader.Skip();
        }
        while (reader.Read())
        {
            // Anything but white space behind the object throws here.
        }
    }

    private static bool TryParseId(string? hex, out byte[] id)
    {
        id = new byte[16];
        return hex is { Length: 32 } && Convert.FromHexString(hex, id, out _, out _) == OperationStatus.Done
            && id.AsSpan().ContainsAnyExcept((byte)0);
    }
}
