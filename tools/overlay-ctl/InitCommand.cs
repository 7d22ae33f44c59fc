using System;
using System.CommandLine;
using System.Numerics;
using Overlay.Crypto;
using Overlay.Metadata.Volumes;

namespace Overlay.Ctl;

/// <summary>overlay-ctl init: makes a directory a volume.</summary>
internal static class InitCommand
{
    internal static Command Make()
    {
        Argument<string> volume = new("VOLUME") { Description = "Directory to make a volume; it is created if it does not exist." };
        KeyOptions key = new();
        Option<string?> store = new("--store") { Description = "Where the key store shall lie (default: in VOLUME/.overlay).", HelpName = "PATH" };
        Option<string> cipher = new("--cipher") { Description = "Cipher of new files.", DefaultValueFactory = _ => "aes-256-gcm" };
        cipher.AcceptOnlyFromAmong("aes-256-gcm", "aegis-256", "xchacha20-poly1305");
        Option<string> compression = new("--compression") { Description = "Compression of new files.", DefaultValueFactory = _ => "lz4" };
        compression.AcceptOnlyFromAmong("lz4", "none");
        Option<int> blockSize = new("--block-size") { Description = "Bytes in a block of new files, a power of two from 4096 to 1048576.", DefaultValueFactory = _ => 16384, HelpName = "N" };
        Option<bool> nonEmpty = new("--non-empty") { Description = "Accept a directory with files; they stay plaintext, and are refused to programs." };
        Command command = new("init", "Make a directory an encrypted volume.") { volume, store, cipher, compression, blockSize, nonEmpty };
        key.AddTo(command);
        command.SetAction(parsed =>
        {
            int size = parsed.GetValue(blockSize);
            if (size < 4096 || size > 1 << 20 || !BitOperations.IsPow2(size))
                throw new ControlException(ExitCodes.Usage, $"--block-size {size}: a power of two from 4096 to 1048576 is needed.");
            _ = CipherSuites.TryParse(parsed.GetValue(cipher)!, out CipherSuite suite);
            using KeySecret secret = key.Read(parsed, isNew: true);
            string root = parsed.GetValue(volume)!;
            VolumeCreator.Create(root, secret, new VolumeOptions
            {
                Suite = suite,
                Compress = parsed.GetValue(compression) == "lz4",
                BlockSizeLog2 = BitOperations.Log2((uint)size),
                StorePath = parsed.GetValue(store),
                AllowNonEmpty = parsed.GetValue(nonEmpty),
            });
            Console.WriteLine($"{root} is now an encrypted volume ({suite.Name()}, {parsed.GetValue(compression)}, blocks of {size} bytes).");
            return ExitCodes.Ok;
        });
        return command;
    }
}
