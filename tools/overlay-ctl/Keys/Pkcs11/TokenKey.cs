using System;
using System.Collections.Generic;
using System.Linq;
using Overlay.Crypto;

namespace Overlay.Ctl.Keys.Pkcs11;

/// <summary>
/// An RSA key pair of a PKCS #11 token: what unlocks a slot is 32 random bytes, encrypted with the public key (RSA-OAEP) when the slot is made, which only
/// the token decrypts.
/// </summary>
internal sealed unsafe class TokenKey : IDisposable
{
    internal const int SecretSize = 32;
    private const nuint PublicKey = 2, PrivateKey = 3, Rsa = 0;

    private readonly TokenUri _uri;
    private readonly Cryptoki _module;
    private readonly nuint _session;

    /// <param name="uri">Of the key.</param>
    /// <param name="pin">Not asked for where the token needs none; the caller wipes it.</param>
    /// <exception cref="ControlException">No token, several, or a wrong PIN.</exception>
    internal TokenKey(TokenUri uri, ReadOnlySpan<byte> pin)
    {
        _uri = uri;
        _module = new Cryptoki(uri.Module);
        try
        {
            List<nuint> fitting = _module.SlotsWithToken().Where(slot => uri.Fits(_module.GetTokenInfo(slot))).ToList();
            if (fitting.Count != 1)
                throw new ControlException(ExitCodes.Key, fitting.Count == 0 ? $"no token fits {uri.Text}: is it there?" : $"{fitting.Count} tokens fit {uri.Text}: say token or serial.");
            _session = _module.OpenSession(fitting[0]);
            Login(pin);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal byte[] Encrypt(ReadOnlySpan<byte> secret)
    {
        OaepParameters parameters = Oaep();
        return _module.Encrypt(_session, new CkMechanism { Type = CkMechanism.RsaOaep, Parameter = &parameters, ParameterLength = (nuint)sizeof(OaepParameters) }, FindKey(PublicKey), secret);
    }

    /// <summary>The caller wipes it. Null: it is not for this key.</summary>
    internal byte[]? TryDecrypt(ReadOnlySpan<byte> text)
    {
        OaepParameters parameters = Oaep();
        return _module.TryDecrypt(_session, new CkMechanism { Type = CkMechanism.RsaOaep, Parameter = &parameters, ParameterLength = (nuint)sizeof(OaepParameters) }, FindKey(PrivateKey), text);
    }

    public void Dispose()
    {
        if (_session != 0)
            _module.CloseSession(_session);
        _module.Dispose();
    }

    private static OaepParameters Oaep() => new() { Hash = OaepParameters.Sha1, Mask = OaepParameters.MaskBySha1, Source = OaepParameters.SourceData };

    private void Login(ReadOnlySpan<byte> pin)
    {
        nuint result = _module.Login(_session, pin);
        if (result is Cryptoki.PinIncorrect or Cryptoki.PinLength)
            throw new ControlException(ExitCodes.Key, "this is not the token's PIN; a few more wrong ones lock it.");
        if (result is Cryptoki.PinLocked)
            throw new ControlException(ExitCodes.Key, "the token's PIN is locked: its own tools unlock it (pkcs11-tool --init-pin, with the security officer's PIN).");
        if (result != Cryptoki.AlreadyLoggedIn)
            Cryptoki.Check(result, "logging in to the token");
    }

    private nuint FindKey(nuint kind)
    {
        nuint type = Rsa;
        byte[] label = _uri.Label ?? [], id = _uri.Id ?? [];
        fixed (byte* labelStart = label, idStart = id)
        {
            List<CkAttribute> wanted =
            [
                new() { Type = CkAttribute.Class, Value = (byte*)&kind, Length = (nuint)sizeof(nuint) },
                new() { Type = CkAttribute.KeyType, Value = (byte*)&type, Length = (nuint)sizeof(nuint) },
            ];
            if (_uri.Label is not null)
                wanted.Add(new CkAttribute { Type = CkAttribute.Label, Value = labelStart, Length = (nuint)label.Length });
            if (_uri.Id is not null)
                wanted.Add(new CkAttribute { Type = CkAttribute.Id, Value = idStart, Length = (nuint)id.Length });
            nuint[] found = _module.Find(_session, wanted.ToArray(), 2);
            string what = kind == PublicKey ? "public" : "private";
            return found.Length == 1 ? found[0] : throw new ControlException(ExitCodes.Key,
                found.Length == 0 ? $"the token has no {what} RSA key that fits {_uri.Text}." : $"several {what} RSA keys fit {_uri.Text}: say id.");
        }
    }
}
